"""What somebody who makes a mistake in a scenario reads: a transcript.

Each case makes one change to a good file; the lines are the whole message.
"""

import pytest

from ipvsload.scenario.load import ScenarioError, parse_scenario

GOOD = """\
name: t
schedulers: [rr, lc]
service: {servers: 1}
traffic:
  long: {users: 10, requests: 10, request: GET /delay/10}
  short: {users: 5, requests: 100}
timeline:
  - start: long
    until: active{server=1} == 10
  - scale: 2
    until: servers == 2
  - start: short
    until: done{class=short}
expect:
  rr:
    - share{class=short, server=1} == 0.5
"""


def said(text: str) -> list[str]:
    try:
        parse_scenario(text, "t.yaml")
    except ScenarioError as error:
        return str(error).splitlines()
    return []


def test_the_file_that_the_others_are_made_from_is_good() -> None:
    assert said(GOOD) == []


KEYS_AND_TYPES = [
    (
        "schedulers: [rr, lc]",
        "schedulers: [rr, lcc]",
        "t.yaml:2:18: unknown scheduler 'lcc'; did you mean 'lc'?",
    ),
    (
        "schedulers: [rr, lc]",
        "schedulers: rr",
        "t.yaml:2:13: 'schedulers': expected a list, found the text 'rr'",
    ),
    (
        "schedulers: [rr, lc]",
        "schedulers: []",
        "t.yaml:2:1: 'schedulers' is empty; give at least one",
    ),
    (
        "schedulers: [rr, lc]",
        "schedulers: [rr, lc, rr]",
        "t.yaml:2:1: 'rr' is listed twice; take one away",
    ),
    (
        "schedulers: [rr, lc]",
        "scheduler: [rr, lc]",
        "t.yaml:2:1: unknown key 'scheduler'; did you mean 'schedulers'?",
    ),
    ("schedulers: [rr, lc]\n", "", "t.yaml:1:1: the key 'schedulers' is missing"),
    (
        "name: t",
        "name: t\nzzz: 1",
        "t.yaml:2:1: unknown key 'zzz'; the keys are name, title, schedulers, seed, service,"
        " traffic, timeline, baseline, margin, measures, expect and stop-when",
    ),
    ("name: t", "name: 3", "t.yaml:1:7: 'name': expected text, found 3"),
    (
        "users: 5",
        "users: '5'",
        "t.yaml:6:18: 'users': expected a whole number, found the text '5'; take the quotes away",
    ),
    ("users: 5", "users: true", "t.yaml:6:18: 'users': expected a whole number, found true"),
    ("users: 5", "users: 1.5", "t.yaml:6:18: 'users': expected a whole number, found 1.5"),
    (
        "users: 5",
        "users: [five]",
        "t.yaml:6:19: expected a stage such as {from: 1, to: 50, over: 30s} or"
        " {users: 10, over: 30s}",
    ),
    ("users: 5", "users: 0", "t.yaml:6:18: 'users': must be at least 1, found 0"),
    (
        "users: 5",
        "users: 99999999999999999999999999",
        "t.yaml:6:18: 'users': must be at most 100000, found a huge number",
    ),
    ("users: 5", "user: 5", "t.yaml:6:11: unknown key 'user'; did you mean 'users'?"),
    (
        "users: 5, ",
        "",
        "t.yaml:6:3: a class needs 'users' (a closed workload) or 'rate' (arrivals per second)",
    ),
    (
        "users: 5",
        "users: 5, rate: 3",
        "t.yaml:6:21: 'users' (a closed workload) and 'rate' (an open one) exclude each other;"
        " take one of them away",
    ),
    (
        "users: 5",
        "rate: 5, think: 3s",
        "t.yaml:6:20: 'think' is a user's pause, and this class has a rate",
    ),
    ("users: 5", "rate: .nan", "t.yaml:6:17: 'rate': expected a number, found the text '.nan'"),
    (
        "users: 5",
        "users: 5, think: 10 sec",
        "t.yaml:6:28: 'think': expected a time such as 10s, 500ms or 2m, found the text '10 sec'",
    ),
    (
        "users: 5",
        "users: 5, think: 25h",
        "t.yaml:6:28: 'think': a time must be between 0 and 24h, found the text '25h'",
    ),
    (
        "users: 5",
        "users: 5, duration: 0",
        "t.yaml:6:31: 'duration': must be more than 0, found 0",
    ),
    (
        "users: 5",
        "users: 5, connection: keepalive",
        "t.yaml:6:33: 'connection': expected new or keep-alive, found the text 'keepalive';"
        " did you mean 'keep-alive'?",
    ),
    (
        "GET /delay/10",
        "/delay/10",
        "t.yaml:5:44: 'request': expected GET, one space and a path, such as 'GET /ip',"
        " found '/delay/10'",
    ),
    (
        "  short:",
        "  Short:",
        "t.yaml:6:3: 'Short' cannot be the name of a class; a name has lower-case letters,"
        " digits, - and _, and at most 32 of them",
    ),
]

YAML = [
    (
        "active{server=1} == 10",
        "active{server: 1} == 10",
        "t.yaml:9:25: not YAML: a second ': ' in one value; put the whole value in quotes",
    ),
    (
        "    until: servers",
        "   until: servers",
        "t.yaml:11:4: not YAML: this line's indentation does not fit the lines above",
    ),
    ("    until: servers", "\tuntil: servers", "t.yaml:11:1: not YAML: a tab; indent with spaces"),
    (
        "  - start: short\n",
        "  - {start: short, until: done{class=short}}\n  - start: short\n",
        "t.yaml:12:31: not YAML: a condition inside { } or [ ]; put the whole value in quotes",
    ),
    (
        "  - start: short\n",
        "  - [start, until: done{class=short} > 1]\n  - start: short\n",
        "t.yaml:12:38: not YAML: a condition inside { } or [ ]; put the whole value in quotes",
    ),
    (
        "  - start: short\n",
        "  - slow: 1\n  - start: short\n",
        "t.yaml:12:11: 'slow': expected a mapping, found 1; its keys are server and speed",
    ),
    (
        "service: {servers: 1}",
        "service: {servers: 1",
        "t.yaml:4:8: not YAML: expected ',' or a closing bracket",
    ),
    (
        "name: t",
        "name: t\nname: b",
        "t.yaml:2:1: the key 'name' stands here twice (first in line 1)",
    ),
    ("name: t", "name: *x", "t.yaml:1:7: no anchor '&x' stands before this alias"),
    ("name: t", "name: &x [*x]", "t.yaml:1:11: the alias '*x' contains itself"),
    (
        "name: t",
        "name: !!python/name:os.system x",
        "t.yaml:1:7: the tag 'tag:yaml.org,2002:python/name:os.system' is not read here;"
        " take it away",
    ),
    ("name: t", "name: t\n---", "t.yaml:2:1: a second document; a scenario file has one"),
    ("name: t", 'name: "\\ud800"', "t.yaml:1:7: half of a surrogate pair is not text"),
    (
        "name: t",
        'name: "\\UFFFFFFFF"',
        "t.yaml:1:1: not YAML: an escape or number that is out of range",
    ),
    ("name: t", "name: t\x07", "t.yaml:1:8: the character U+0007 has no place in YAML"),
    (
        "name: t",
        "name: t\n3: b",
        "t.yaml:2:1: a key must be a word; put it in quotes if it is one",
    ),
]


STOPS = [
    (
        "timeline:",
        "stop-wen: failures > 5%\ntimeline:",
        "t.yaml:7:1: unknown key 'stop-wen'; did you mean 'stop-when'?",
    ),
    (
        "timeline:",
        "stop-when: failurs > 5%\ntimeline:",
        "t.yaml:7:12: unknown measure 'failurs'; did you mean 'failures'?",
    ),
    (
        "timeline:",
        "stop-when: [failures > 5%, 'share{class=short} > 5%']\ntimeline:",
        "t.yaml:7:29: 'share' is known when the run is over; use it under 'expect'",
    ),
    (
        "timeline:",
        "stop-when: failures{class=shirt} > 5 %\ntimeline:",
        "t.yaml:7:12: no class 'shirt' in failures{class=shirt}; did you mean 'short'?",
    ),
    (
        "timeline:",
        "stop-when: active{server=3} > 5\ntimeline:",
        "t.yaml:7:12: no server 3 in active{server=3}; the timeline has servers 1 to 2",
    ),
    (
        "timeline:",
        "stop-when: failures{server=1} > 5\ntimeline:",
        "t.yaml:7:12: 'failures' takes no server under 'stop-when'; that is known under 'expect'",
    ),
    (
        "timeline:",
        "stop-when: []\ntimeline:",
        "t.yaml:7:1: 'stop-when' is empty; give at least one",
    ),
    (
        "timeline:",
        "stop-when: 5\ntimeline:",
        "t.yaml:7:12: 'stop-when': expected a list, found 5",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "line"), KEYS_AND_TYPES + YAML + STOPS)
def test_one_mistake_gives_one_line(right: str, wrong: str, line: str) -> None:
    assert GOOD.count(right) == 1
    assert said(GOOD.replace(right, wrong)) == [line]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    bad = GOOD.replace("[rr, lc]", "[rr, lcc]").replace("users: 5", "users: 0")
    bad = bad.replace("scale: 2", "scal: 2").replace("== 0.5", "== = 0.5")
    assert said(bad) == [
        "t.yaml:2:18: unknown scheduler 'lcc'; did you mean 'lc'?",
        "t.yaml:6:18: 'users': must be at least 1, found 0",
        "t.yaml:10:5: unknown key 'scal'; did you mean 'scale'?",
        "t.yaml:16:39: unexpected '='; write '=='",
    ]


def test_a_hundred_mistakes_are_cut_to_twenty() -> None:
    lines = said(
        GOOD.replace("scale: 2", "".join(f"k{i}: 2\n    " for i in range(99)) + "scale: 2")
    )
    assert len(lines) == 21
    assert lines[-1] == "... and 79 more"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1:1: the file is empty; it needs name, schedulers, traffic and timeline"),
        (
            "# only this\n",
            "1:1: the file is empty; it needs name, schedulers, traffic and timeline",
        ),
        ("- a\n", "1:1: found a list; a scenario file has keys: name, schedulers, ..."),
        ("\nabc", "2:1: found the text 'abc'; a scenario file has keys: name, schedulers, ..."),
        ("null", "1:1: found nothing; a scenario file has keys: name, schedulers, ..."),
    ],
)
def test_files_that_are_no_mapping(text: str, line: str) -> None:
    assert said(text) == [f"t.yaml:{line}"]
