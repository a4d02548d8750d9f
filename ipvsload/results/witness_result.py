"""What the watching of packets brought a run, what it cost, and what it lacks."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipvsload.record.events import WitnessKept
from ipvsload.record.reader import RecordedRun


@dataclass(frozen=True, slots=True)
class WitnessResult:
    """So many packets of a run are in its record, in so many bytes, for so many seconds of CPU.

    `dropped` more are lost. `director_us` is how long the director had a connection's SYN:
    "p50" and "p99", in µs; {} where no packet says it.
    """

    packets: int
    dropped: int
    size: int
    cpu_s: float
    director_us: dict[str, float]


def witness_result(run: RecordedRun) -> WitnessResult | None:
    """None where nobody watched, or the run ended before."""
    told = run.of_type(WitnessKept)
    if not told:
        return None
    last = told[-1]
    return WitnessResult(last.packets, last.dropped, last.size, last.cpu_s, last.director_us)


def witness_notes(run: RecordedRun) -> Iterator[str]:
    """Why there is no witness, or only a part of one."""
    for told in run.of_type(WitnessKept):
        if told.why:
            yield f"no packets at the director were recorded, or not all: {told.why}"
        if told.dropped:
            yield (
                f"{told.dropped} packets at the director were seen and lost: this machine was too"
                " busy to take them in time"
            )
