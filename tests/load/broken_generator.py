"""A generator that is broken on purpose: python -m tests.load.broken_generator HOST PORT KIND.

It sends for two seconds, says "sending" when it begins, and then the planned start, the start and
the end of each request, in µs, as one line of JSON.
"""

import json
import sys
import time
from collections.abc import Iterator

from ipvsload.load import workload
from ipvsload.load.exchange import Exchange
from ipvsload.load.http_response import ReadAnswer
from ipvsload.load.pacing import due_times
from ipvsload.scenario.model import Traffic
from tests.load.sending import Sending

KEYS = {"rate": 200, "arrivals": "poisson", "duration": 2.0}
_SLOW_S = 0.008
_BURST_NS = 150_000_000


def in_bursts(spec: Traffic, *key: object) -> Iterator[int]:
    """The right plan, but for its being kept back until the next burst."""
    return (-(-due // _BURST_NS) * _BURST_NS for due in due_times(spec, *key))


def main(host: str, port: str, kind: str) -> None:
    """Send, and say what was sent."""
    if kind == "bursty":
        workload.due_times = in_bursts  # type: ignore[attr-defined]
    with Sending((host, int(port))) as sending:
        it = sending.workload(**KEYS)
        if kind == "slow":
            ended = it.ended

            def ended_slowly(
                exchange: Exchange, answer: ReadAnswer, error: str | None, now_ns: int
            ) -> bool:
                time.sleep(_SLOW_S)
                return ended(exchange, answer, error, now_ns)

            it.ended = ended_slowly  # type: ignore[method-assign]
        began = time.monotonic_ns()
        it.start()
        print("sending", flush=True)  # noqa: T201
        it.over.wait()
    rows = [(r.planned - began, r.start - began, r.end - began) for r in sending.records]
    print(json.dumps([[t // 1000 for t in row] for row in rows]))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
