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
        "t.yaml:2:1: unknown key 'zzz'; the keys are name, title, schedulers, service, traffic,"
        " timeline and expect",
    ),
    ("name: t", "name: 3", "t.yaml:1:7: 'name': expected text, found 3"),
    (
        "users: 5",
        "users: '5'",
        "t.yaml:6:18: 'users': expected a whole number, found the text '5'; take the quotes away",
    ),
    ("users: 5", "users: true", "t.yaml:6:18: 'users': expected a whole number, found true"),
    ("users: 5", "users: 1.5", "t.yaml:6:18: 'users': expected a whole number, found 1.5"),
    ("users: 5", "users: [5]", "t.yaml:6:18: 'users': expected a whole number, found a list"),
    ("users: 5", "users: 0", "t.yaml:6:18: 'users': must be at least 1, found 0"),
    (
        "users: 5",
        "users: 99999999999999999999999999",
        "t.yaml:6:18: 'users': must be at most 10000, found a huge number",
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

STEPS = [
    ("start: long", "start: lonng", "t.yaml:8:12: no class 'lonng'; did you mean 'long'?"),
    ("start: long", "start: [long, 3]", "t.yaml:8:19: 'start': expected text, found 3"),
    ("start: long", "strt: long", "t.yaml:8:5: unknown key 'strt'; did you mean 'start'?"),
    (
        "start: long",
        "start:",
        "t.yaml:8:5: the key 'start' has no value; give it one or take it away",
    ),
    (
        "start: long",
        "start: long\n    stop: long",
        "t.yaml:9:5: a step has one action, and this has 'start' and 'stop'; make it two steps",
    ),
    (
        "  - scale: 2\n    until:",
        "  - until:",
        "t.yaml:10:5: a step needs an action: start, stop, scale, reweigh, remove, kill or wait",
    ),
    (
        "scale: 2",
        "wait: servers == 1",
        "t.yaml:11:5: 'until' has no place beside 'wait'; join them with 'and'",
    ),
    (
        "until: done{class=short}",
        "within: 5s",
        "t.yaml:13:5: 'within' is the deadline of a wait, and this step has none",
    ),
    (
        "  - start: short\n",
        "  - {wait: 1m, within: 50s}\n  - start: short\n",
        "t.yaml:12:16: this wait lasts 60 s, longer than its deadline of 50 s; take 'within' away",
    ),
    ("scale: 2", "scale: 1", "t.yaml:10:12: there is 1 server already; this does nothing"),
    ("scale: 2", "scale: 0", "t.yaml:10:12: 'scale': must be at least 1, found 0"),
    (
        "scale: 2",
        "reweigh: {server: 3, weight: 0}",
        "t.yaml:10:23: server 3 has not joined by then; there is server 1",
    ),
    (
        "scale: 2",
        "reweigh: {server: 1, wieght: 0}",
        "t.yaml:10:26: unknown key 'wieght'; did you mean 'weight'?",
    ),
    (
        "scale: 2",
        "remove: 1",
        "t.yaml:10:13: server 1 is the last one; a service needs one at least",
    ),
    (
        "  - start: short\n",
        "  - kill: 2\n  - kill: 2\n  - start: short\n",
        "t.yaml:13:11: server 2 was killed before",
    ),
    (
        # Numbers are never used again: after 2 and 1, the third server is number 3.
        "  - start: short\n",
        "  - scale: 1\n  - scale: 2\n  - kill: 2\n  - start: short\n",
        "t.yaml:14:11: server 2 has left by then; there are servers 1 and 3",
    ),
    (
        "  - start: short\n",
        "  - scale: 1000\n  - scale: 1\n  - scale: 2\n  - start: short\n",
        "t.yaml:14:12: more than 1000 servers would join over the whole run",
    ),
    (
        "service: {servers: 1}",
        "service: {servers: 1, weights: [1, 2]}",
        "t.yaml:3:32: 2 weights for 1 server; give each server one",
    ),
    (
        "  - start: short\n",
        "  - start: long\n  - start: short\n",
        "t.yaml:12:12: class 'long' may still be running; wait for done{class=long} or stop it"
        " before it is started again",
    ),
    (
        "  - start: short\n",
        "  - stop: short\n  - start: short\n",
        "t.yaml:12:11: class 'short' has not been started; this stops nothing",
    ),
    (
        "    until: done{class=short}\n",
        "    until: done{class=short}\n  - stop: short\n",
        "t.yaml:14:11: class 'short' is stopped or done already; this stops nothing",
    ),
    (
        "  - start: short\n    until: done{class=short}\n",
        "",
        "t.yaml:6:3: class 'short' is never started; start it in the timeline, or take it away",
    ),
    (
        "users: 10, requests: 10",
        "users: 10",
        "t.yaml:5:3: class 'long' would never end; give it requests or a duration,"
        " or add the step 'stop: long'",
    ),
]

WAITS = [
    (
        "active{server=1} == 10",
        "active{server=1} == 11",
        "t.yaml:9:12: this wait cannot come true: active{server=1} is at most 10 here"
        " ('long' has 10 users)",
    ),
    (
        "active{server=1} == 10",
        "active{server=1} == 10 and servers > 1",
        "t.yaml:9:12: this wait cannot come true: servers is 1 here"
        " (the table has 1 server by then)",
    ),
    (
        "servers == 2",
        "servers == 3 or weight != 2",
        "t.yaml:11:12: this wait cannot come true: servers is 2 here"
        " (the table has 2 servers by then) and weight is 2 here"
        " (the timeline sets no other weight before)",
    ),
    (
        "active{server=1} == 10",
        "requests > 10",
        "t.yaml:9:12: this wait cannot come true: requests is at most 10 here"
        " ('long' has 10 requests)",
    ),
    (
        "active{server=1} == 10",
        "elapsed > 40s",
        "t.yaml:9:12: this wait cannot come true: elapsed is at most 30 s here"
        " (the waits up to here end by their deadlines)",
    ),
    (
        "active{server=1} == 10",
        "done{class=short}",
        "t.yaml:9:12: this wait cannot come true: done{class=short} cannot hold here"
        " ('short' was not started before)",
    ),
    (
        "requests: 100}",
        "duration: 60s}",
        "t.yaml:13:12: this wait cannot come true: done{class=short} cannot hold here"
        " ('short' takes at least 60 s, and the wait ends after 30 s at most; raise 'within')",
    ),
    (
        "requests: 100}",
        "requests: 100, think: 3s}",
        "t.yaml:13:12: this wait cannot come true: done{class=short} cannot hold here"
        " ('short' takes at least 57 s, and the wait ends after 30 s at most; raise 'within')",
    ),
    (
        "users: 5, requests: 100}\n",
        "users: 5}\n",
        "t.yaml:13:12: this wait cannot come true: done{class=short} cannot hold here"
        " ('short' has neither requests nor duration and is not stopped before)",
    ),
    (
        "active{server=1} == 10",
        "active{server=2} == 10",
        "t.yaml:9:12: server 2 has not joined by then; there is server 1",
    ),
    (
        "active{server=1} == 10",
        "share{class=long, server=1} == 1",
        "t.yaml:9:12: 'share' is known when the run is over; use it under 'expect'",
    ),
    (
        "active{server=1} == 10",
        "requests{server=1} == 10",
        "t.yaml:9:12: 'requests' takes no server in a wait; that is known under 'expect'",
    ),
    (
        "active{server=1} == 10",
        "servers == 1 and requests{class=lang} == 10",
        "t.yaml:9:29: no class 'lang' in requests{class=lang}; did you mean 'long'?",
    ),
    ("active{server=1} == 10", "active{server=1} = 10", "t.yaml:9:29: unexpected '='; write '=='"),
    (
        "active{server=1} == 10",
        "'actve{server=1} == 10'",
        "t.yaml:9:13: unknown measure 'actve'; did you mean 'active'?",
    ),
    (
        "done{class=short}",
        "5s",
        "t.yaml:13:12: a time is not a condition; a time stands after 'wait'",
    ),
]

EXPECTATIONS = [
    (
        "== 0.5",
        "== 50",
        "t.yaml:16:7: this can never hold: share{class=short, server=1} is between 0 and 1",
    ),
    (
        "== 0.5",
        "== 0.5 and active == 3",
        "t.yaml:16:47: 'active' is known while the load runs; use it in 'wait' or 'until'",
    ),
    (
        "class=short, server=1",
        "class=sort, server=1",
        "t.yaml:16:7: no class 'sort' in share{class=sort, server=1}; did you mean 'short'?",
    ),
    (
        "class=short, server=1",
        "class=short, server=3",
        "t.yaml:16:7: no server 3 in share{class=short, server=3}; the timeline has servers 1 to 2",
    ),
    (
        "{class=short, server=1}",
        "{server=1}",
        "t.yaml:16:7: 'share' needs a class, as in share{class=...}",
    ),
    (
        "class=short, server=1",
        "class=short, server=1, scheduler=rr",
        "t.yaml:16:7: 'scheduler' has its place under 'compare' only",
    ),
    (
        "  rr:\n",
        "  compare:\n",
        "t.yaml:16:7: 'share' needs a scheduler under 'compare', as in scheduler=rr",
    ),
    (
        "  rr:\n    - share{class=short, server=1}",
        "  compare:\n    - share{class=short, server=1, scheduler=wlc}",
        "t.yaml:16:7: 'wlc' is not among the schedulers of this scenario (rr and lc)",
    ),
    (
        "  rr:\n",
        "  wrr:\n",
        "t.yaml:15:3: 'wrr' is not among the schedulers of this scenario (rr and lc)",
    ),
    (
        "  rr:\n",
        "  al:\n",
        "t.yaml:15:3: unknown scheduler 'al' under 'expect'; did you mean 'all'?",
    ),
    (
        "    - share{class=short, server=1} == 0.5",
        "    share == 1",
        "t.yaml:16:5: 'rr': expected a list, found the text 'share == 1'",
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
        "t.yaml:12:31: not YAML: a condition inside { }; put the whole value in quotes",
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


@pytest.mark.parametrize(
    ("right", "wrong", "line"), KEYS_AND_TYPES + STEPS + WAITS + EXPECTATIONS + YAML
)
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


def test_what_a_wait_has_made_certain_is_counted_on() -> None:
    """After its done, a class may be started again, and its users are free."""
    again = GOOD.replace(
        "    until: done{class=short}\n",
        "    until: done\n  - start: short\n    until: active == 6 and done{class=short}\n",
    )
    assert said(again) == [
        "t.yaml:15:12: this wait cannot come true: active is at most 5 here ('short' has 5 users)"
    ]
    assert said(again.replace("active == 6", "active == 5 and requests == 210")) == []
