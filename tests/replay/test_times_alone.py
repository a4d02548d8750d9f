"""Requests' times alone: an order explains every choice of the rule, and not those of another."""

from random import Random

from ipvsload.record.format import Request
from ipvsload.replay.replayed_run import RunReplay, replay
from tests.replay.simulated_director import Arrival, SimulatedDirector

CONNECTIONS = 1_500
LATE_US = 3_000


def played(scheduler: str, chance: Random) -> SimulatedDirector:
    """Four servers, some thirty connections at a time."""
    director = SimulatedDirector(scheduler, [1, 1, 1, 1], least_apart_ns=3_000)
    director.play(
        Arrival(int(chance.expovariate(1 / 400_000)), chance.randint(4_000_000, 20_000_000))
        for _ in range(CONNECTIONS)
    )
    return director


def as_seen(requests: list[Request], chance: Random) -> list[Request]:
    """Begun up to 3 ms before the SYN passed, ended some ms after the FIN; in their order."""
    ends = {one.port: one.start_us + one.latency_us for one in requests}
    requests = sorted(requests, key=lambda one: one.start_us)
    last = 0
    for port, end in sorted(ends.items(), key=lambda one: one[1]):
        last = ends[port] = max(last + 1, end + chance.randrange(LATE_US))
    first = requests[-1].start_us
    seen = []
    for one in reversed(requests):
        first = min(first, one.start_us - chance.randrange(LATE_US))
        seen.append(
            one._replace(planned_us=first, start_us=first, latency_us=ends[one.port] - first)
        )
    return seen[::-1]


def replayed(director: SimulatedDirector, requests: list[Request], rule: str) -> RunReplay:
    director.scheduler = rule
    return replay(director.run(requests), None, None)


def test_late_times_explain_all_choices_of_the_rule_and_few_of_others() -> None:
    for own, other in (("lc", "sed"), ("sed", "lc")):
        chance = Random(own)
        director = played(own, chance)
        seen = as_seen(director.requests(), chance)
        found = replayed(director, seen, own)
        assert (found.connections, found.unexplained) == (CONNECTIONS, 0)
        assert found.consistent > CONNECTIONS / 10
        assert replayed(director, seen, other).unexplained > CONNECTIONS / 10


def test_choices_that_are_shuffled_are_not_explained() -> None:
    chance = Random(1)
    director = played("lc", chance)
    seen = as_seen(director.requests(), chance)
    servers = [one.server for one in seen]
    chance.shuffle(servers)
    shuffled = [one._replace(server=server) for one, server in zip(seen, servers, strict=True)]
    assert replayed(director, shuffled, "lc").unexplained > CONNECTIONS / 4
