"""The transcript goes on: mistakes in the timeline and in what is expected of it."""

import pytest

from .test_scenario_transcript import GOOD, said

ACTIONS = (
    "start, stop, scale, reweigh, remove, kill, freeze, thaw, slow, vanish, return, restart, flap"
    " or wait"
)

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
        f"t.yaml:10:5: a step needs an action: {ACTIONS}",
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
        "t.yaml:13:11: server 2 is killed already",
    ),
    (
        "  - start: short\n",
        "  - kill: 2\n  - freeze: 2\n  - start: short\n",
        "t.yaml:13:13: server 2 is killed; a restart brings it back",
    ),
    (
        "  - start: short\n",
        "  - kill: 2\n  - slow: {server: 2, speed: 0.5}\n  - start: short\n",
        "t.yaml:13:20: server 2 is killed; a restart brings it back",
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


@pytest.mark.parametrize(("right", "wrong", "line"), STEPS + WAITS + EXPECTATIONS)
def test_one_mistake_in_the_timeline_gives_one_line(right: str, wrong: str, line: str) -> None:
    assert GOOD.count(right) == 1
    assert said(GOOD.replace(right, wrong)) == [line]


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
