"""What sentences of the pages say in numbers, asked of the data. Pure."""

from benchmarks.scheduler_study.grid import WORKS
from benchmarks.scheduler_study.leaving_effects import Study
from benchmarks.scheduler_study.study_words import span, times


class ContradictionError(Exception):
    """The data say something else than a sentence of a page."""


def holds(condition: bool, claim: str) -> str:
    """Nothing, for a template. Raises ContradictionError where a claim does not hold."""
    if not condition:
        raise ContradictionError(f"the data contradict a sentence, so write it anew: {claim}")
    return ""


def leaving(study: Study, scheduler: str, percentile: str = "p99", **asked: object) -> str:
    """What leaving makes of a percentile: "1.62x"."""
    return times(study.effect(scheduler, percentile, **asked).ratio)


def over_works(study: Study, scheduler: str, **asked: object) -> str:
    """The same at p99 over the kinds of work: "1.1x to 1.4x"."""
    return span([study.effect(scheduler, work=work, **asked).ratio for work in WORKS])


def own_ms(study: Study, scheduler: str, **asked: object) -> str:
    """p99 under a scheduler."""
    return f"{study.effect(scheduler, **asked).own_ms:,.0f}"


def chance_ms(study: Study, **asked: object) -> str:
    """p99 under chance."""
    return f"{study.effect('rr', **asked).random_ms:,.0f}"


def own_s(study: Study, scheduler: str, **asked: object) -> str:
    """The same in seconds."""
    return _seconds(study.effect(scheduler, **asked).own_ms)


def chance_s(study: Study, **asked: object) -> str:
    """The same in seconds."""
    return _seconds(study.effect("rr", **asked).random_ms)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:,.0f}" if ms >= 10_000 else f"{ms / 1000:.2g}"


def answer(study: Study) -> str:
    """The answer in a line, for whoever reads nothing else."""
    busy = {nodes: leaving(study, "lc", nodes=nodes, load=0.9) for nodes in (1, 10, 100, 1000)}
    of_rr = leaving(study, "rr", nodes=10, load=0.9)
    half = leaving(study, "lc", nodes=10, load=0.5)
    return (
        "**Of use where few nodes send to pods that are nearly full.** At 0.9 of capacity, with"
        f" exponential work, leaving lc for chance makes p99 {busy[1]} with one node that"
        f" balances, {busy[10]} with ten, {busy[100]} with a hundred, and {busy[1000]} with a"
        f" thousand; leaving rr {of_rr} with ten. At half of capacity leaving lc makes it {half}."
    )
