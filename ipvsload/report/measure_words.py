"""Measures, amounts and differences of them in words: "short p95", "-1.1 ms [-1.3, -0.9]"."""

import math
from collections.abc import Sequence

from ipvsload.report.wording import DASH, figure, milliseconds, percent
from ipvsload.scenario.measures.base import Measure, Unit

_NAMES = {
    "failed_share": "failed",
    "rps": "requests per second",
    "latency_p999": "p99.9",
    "weight_departure": "off a weight's share",
    "active_jain": "Jain's index of active connections",
    "active_peak": "greatest/mean of active connections",
    "utilisation_jain": "Jain's index of utilisation",
    "utilisation_peak": "greatest/mean of utilisation",
    "balance_time": "time to balance",
    "lost": "lost with a server",
}
_UNITS: dict[Unit, str] = {"ms": " ms", "s": " s", "1/s": " /s", "fraction": " points"}
"""Behind a difference. One of fractions is in percentage points."""


def measure_words(measure: str) -> str:
    """'latency_p95{class=short}' is "short p95"."""
    of = Measure.of(measure)
    server = f"of server {of.server}" if of.server else None
    parts = (of.class_, figure_words(measure), of.kind, server)
    return " ".join(part for part in parts if part)


def figure_words(measure: str) -> str:
    """The same without what it is of: "p95"."""
    name = Measure.of(measure).name
    return _NAMES.get(name, name.removeprefix("latency_").replace("_", " "))


def amount(value: float | None, unit: Unit) -> str:
    """A value with its unit: "3.2 ms", "2 %", a dash for none."""
    if value is None:
        return DASH
    if unit == "ms":
        return milliseconds(value)
    if unit == "fraction":
        return percent(value)
    return figure(value) + _UNITS.get(unit, "")


def difference_words(difference: float, interval: tuple[float, float] | None, unit: Unit) -> str:
    """A difference with its interval, all to as many digits: "-1.1 ms [-1.3, -0.9]"."""
    scale = 100 if unit == "fraction" else 1
    told = [scale * value for value in (difference, *(interval or ()))]
    digits = _digits(told)
    first, *ends = (_signed(value, digits) for value in told)
    plus = "+" if not first.startswith("-") and float(first) else ""
    return f"{plus}{first}{_UNITS.get(unit, '')}" + (f" [{', '.join(ends)}]" if ends else "")


def _digits(values: Sequence[float]) -> int:
    """So many behind the point that the greatest has two that say something."""
    greatest = max(map(abs, values))
    return max(0, 1 - math.floor(math.log10(greatest))) if greatest else 0


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits)
    return f"{rounded if rounded else 0.0:.{digits}f}"  # not -0


def p_words(p: float) -> str:
    """A p-value, "p 0.001"; of a very small one only how small it is."""
    return "p < 0.0001" if p < 0.0001 else f"p {p:.2g}" if p < 0.995 else "p 1"


def part_words(value: float) -> str:
    """A part without its sign: "40 %", "0.4 %"."""
    hundred = abs(value) * 100
    return f"{hundred:.0f} %" if hundred >= 9.5 else f"{hundred:.2g} %"
