"""How figures of the study are written in pages. Pure."""

from collections.abc import Sequence

from benchmarks.scheduler_study.leaving_effects import Effect


def times(ratio: float) -> str:
    """Such as "1.62x", "2.4x", "12x", "0.04x": two digits that say something."""
    digits = 0 if ratio >= 10 else 1 if ratio >= 2 else 2
    return f"{ratio:,.{digits}f}x" if ratio >= 0.095 else f"{ratio:.1g}x"


def told(effect: Effect, *, chance_full: bool = False, own_full: bool = False) -> str:
    """An effect in a table: bold costs, slanted gains; (c) and (s): who overloads a pod."""
    full = " (c)" * chance_full + " (s)" * own_full
    if effect.verdict == "greater":
        return f"**{times(effect.ratio)}**{full}"
    if effect.verdict == "less":
        return f"*{times(effect.ratio)}*{full}"
    return ("alike" if effect.verdict == "equivalent" else "~") + full


def with_interval(effect: Effect) -> str:
    """Such as "1.62x [1.55, 1.70]"."""
    ends = f"{times(effect.low)[:-1]}, {times(effect.high)[:-1]}"
    return f"{times(effect.ratio)} [{ends}]"


def span(values: Sequence[float]) -> str:
    """Such as "1.2x to 1.9x"."""
    low, high = times(min(values)), times(max(values))
    return low if low == high else f"{low} to {high}"
