"""Little's law in records: how many are there is what comes, times how long each stays.

Three parts of a record are counted apart: requests by their ends, tables when they are sampled,
and the workers as time goes on. They tell of the same connections.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.simulate.model_connection import WAY_NS
from tests.simulate.played import played

WAY_US = WAY_NS // 1000
SCENARIO = """
name: little
seed: {seed}
schedulers: [{scheduler}]
service: {{servers: {servers}, directors: {directors}, capacity: {{workers: {workers}}}}}
traffic:
  load: {{request: 'GET /delay/{{work}}', work: exponential 60ms, rate: {rate}, arrivals: poisson,
         duration: 2s}}
timeline: [{{start: load, until: done, within: 500s}}]
"""


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.sampled_from(["rr", "lc", "sed", "mh", "twos"]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(5, 60),
    st.integers(0, 1000),
)
def test_those_in_the_system_are_those_that_came_and_have_not_gone(
    scheduler: str, servers: int, workers: int, directors: int, rate: int, seed: int
) -> None:
    text = SCENARIO.format(**locals())
    with TemporaryDirectory() as directory:
        recording, results = played(Path(directory) / "run", text)
        requests = list(recording.runs[0].requests)
    assert results.verdict == "held", results.runs[0].reasons
    (run,) = recording.runs
    # The server's FIN passes the director so long before the client has its answer.
    spans = [(one.start_us, one.start_us + one.latency_us - WAY_US) for one in requests]
    active: dict[int, int] = {}
    for sample in run.samples:
        (service,) = sample.services
        there = sum(server.active for server in service.servers)
        active[sample.t_us] = active.get(sample.t_us, 0) + there
    assert len(active) > 20
    for at, there in active.items():
        # Times are whole microseconds, rounded down.
        surely = sum(begin < at - 1 and end > at + 1 for begin, end in spans)
        perhaps = sum(begin <= at + 1 and end >= at - 1 for begin, end in spans)
        assert surely <= there <= perhaps
    # The integral of busy workers until then is the sum of all service until then.
    served = [
        (begin + WAY_US + (one.queue_us or 0), end)
        for one, (begin, end) in zip(requests, spans, strict=True)
    ]
    for told in run.occupancy:
        busy_us = sum(server.busy_us for server in told.servers)
        until = sum(max(0, min(end, told.t_us) - begin) for begin, end in served)
        assert abs(busy_us - until) <= 3 * len(served) + servers
