"""How evenly the kernel's table was sampled in one run, and what may have gone unseen.

Between two samples connections come and go unseen. A reader who is told the greatest
number of active connections must know how often somebody looked, and where nobody did
although a sample was due.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ipvsload.record.events import ClassDone, RunStarted, StepDone, StepStarted
from ipvsload.record.reader import RecordedRun

HOLE_PERIODS = 1.8
"""Two samples that are farther apart have a hole between them. Where one sample is missing it
is 2, but for what each of the two came too late or too early."""


@dataclass(frozen=True, slots=True)
class SampleHole:
    """A stretch without a sample of `node`: from the last one before it to the next, in µs."""

    node: str
    begin_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class SamplingResult:
    """How a run was sampled while steps or requests went on.

    `period_ms` is what the sidecar promised (`--hz`); in earlier records, the median of what
    it did. `holes` counts the stretches in which samples that were due are missing; the
    longest of them took `longest_ms`.
    """

    period_ms: float
    holes: int = 0
    longest_ms: float | None = None


def active_span(run: RecordedRun, last_us: int | None) -> tuple[int, int] | None:
    """From the first to the last moment at which steps or requests went on, in µs.

    `last_us` is when the last request ended, or None. None where nothing went on.
    """
    marks = [e.t_us for e in run.events if isinstance(e, StepStarted | StepDone | ClassDone)]
    if last_us is not None:
        marks.append(last_us)
    return (min(marks), max(marks)) if marks else None


def period_us(run: RecordedRun) -> float | None:
    """The time from one sample of a node to its next as it was promised; else the median."""
    told = [event.hz for event in run.of_type(RunStarted) if event.hz]
    if told:
        return 1e6 / told[0]
    gaps = [b - a for times in _times(run).values() for a, b in pairwise(times)]
    return statistics.median(gaps) if gaps else None


def sample_holes(run: RecordedRun, last_us: int | None) -> list[SampleHole]:
    """The holes in each node's samples, in the order of time; see `active_span`."""
    span, period = active_span(run, last_us), period_us(run)
    if span is None or period is None:
        return []
    holes = [
        SampleHole(node, a, b)
        for node, times in _times(run).items()
        for a, b in pairwise(times)
        if b - a > HOLE_PERIODS * period and a < span[1] and b > span[0]
    ]
    return sorted(holes, key=lambda hole: (hole.begin_us, hole.end_us))


def sampling_result(run: RecordedRun, last_us: int | None) -> SamplingResult | None:
    """How the run was sampled; None where there are not two samples of a node."""
    period = period_us(run)
    if period is None:
        return None
    holes = sample_holes(run, last_us)
    longest = max((hole.end_us - hole.begin_us for hole in holes), default=None)
    return SamplingResult(
        period_ms=period / 1000,
        holes=len(holes),
        longest_ms=None if longest is None else longest / 1000,
    )


def sampling_notes(sampling: SamplingResult | None) -> Iterator[str]:
    """What a reader of the run's active connections should know, for people."""
    if sampling is None or sampling.longest_ms is None:
        return
    holes = "a hole of" if sampling.holes == 1 else f"{sampling.holes} holes of up to"
    yield (
        f"the samples of the kernel's table have {holes}"
        f" {sampling.longest_ms / 1000:.2f} s, where one was due each "
        f"{sampling.period_ms / 1000:.2g} s: what came and went in between was not seen"
    )


def _times(run: RecordedRun) -> dict[str, list[int]]:
    """When each node was sampled, in µs, ascending."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for sample in run.samples:
        found[sample.node].append(sample.t_us)
    return {node: sorted(times) for node, times in found.items()}
