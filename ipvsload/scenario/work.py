"""How much work a request asks for: a fixed time, or a distribution of times.

A server that is busy with one request longer than with another is what makes schedulers
differ. The distributions are quantile functions, so that one random number between 0 and
1 decides a request's work: whoever has the same numbers has the same work.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from ipvsload.scenario import duration
from ipvsload.scenario.faults import unexpected
from ipvsload.scenario.file_reference import (
    FILE_SCHEMA,
    NumbersFile,
    file_reference,
    looked_at,
    written_reference,
)
from ipvsload.scenario.words import hint, number, quoted

MOST_SECONDS = 10.0
"""Longer work is cut to this, and the record has what was asked for. httpbin's /delay does
so, too (httpbin/core.py, delay_response), and a request should mean the same everywhere."""
_P99 = NormalDist().inv_cdf(0.99)
"""How many standard deviations the 99th percentile of a normal distribution lies above its
median."""


@dataclass(frozen=True, slots=True)
class Work:
    """A distribution of work; `text` is how a scenario writes it."""

    text: str

    def quantile(self, chance: float) -> float:
        """The seconds that a part `chance` of all requests does not exceed; it is in (0, 1)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class FixedWork(Work):
    """The same seconds for each request."""

    each: float

    def quantile(self, chance: float) -> float:
        """See `Work`."""
        return self.each


@dataclass(frozen=True, slots=True)
class ExponentialWork(Work):
    """Exponential, with this mean in seconds: what queueing theory calls M."""

    mean: float

    def quantile(self, chance: float) -> float:
        """See `Work`."""
        return min(-self.mean * math.log1p(-chance), MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class LognormalWork(Work):
    """Lognormal, by its median and its 99th percentile in seconds."""

    p50: float
    p99: float

    def quantile(self, chance: float) -> float:
        """See `Work`."""
        spread = math.log(self.p99 / self.p50) / _P99
        return min(self.p50 * math.exp(spread * _inverse_normal(chance)), MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class ParetoWork(Work):
    """Pareto, by its least seconds and its shape: the smaller the shape, the heavier the tail."""

    least: float
    shape: float

    def quantile(self, chance: float) -> float:
        """See `Work`."""
        # By its logarithm: a small shape makes a power that is out of range.
        tail = -math.log1p(-chance) / self.shape
        return min(self.least * math.exp(min(tail, 700.0)), MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class FileWork(Work):
    """One of the times of a file, each as likely as the others."""

    file: NumbersFile

    def quantile(self, chance: float) -> float:
        """See `Work`."""
        values = self.file.values
        return values[int(chance * len(values))]


_inverse_normal = NormalDist().inv_cdf


def _exponential(text: str, words: list[str]) -> Work:
    return ExponentialWork(text, _time(text, words, 1))


def _lognormal(text: str, words: list[str]) -> Work:
    p50, p99 = _time(text, words, 1), _time(text, words, 2)
    if p99 <= p50:
        raise _at(text, words, 2, "the 99th percentile must be more than the median before it")
    return LognormalWork(text, p50, p99)


def _pareto(text: str, words: list[str]) -> Work:
    least = _time(text, words, 1)
    try:
        shape = float(words[2])
    except ValueError:
        shape = math.nan
    if not math.isfinite(shape):
        raise _at(text, words, 2, f"expected the shape, a number, found {quoted(words[2])}")
    if shape <= 1:
        reason = "with a shape of 1 or less it has no mean, and no server has capacity for it"
        raise _at(text, words, 2, f"{reason}; give a shape of more than 1")
    return ParetoWork(text, least, shape)


_DISTRIBUTIONS: dict[str, tuple[str, Callable[[str, list[str]], Work]]] = {
    "exponential": ("exponential 20ms (its mean)", _exponential),
    "lognormal": ("lognormal 20ms 200ms (its median and 99th percentile)", _lognormal),
    "pareto": ("pareto 10ms 1.5 (its minimum and shape)", _pareto),
}
"""The distributions by name: how each is written, and what reads its words."""


def read_work(value: object) -> Work:
    """The work that a scenario writes so. Raises a ValueError of pydantic's for people."""
    if isinstance(value, Work):
        return value
    words = value.split() if isinstance(value, str) else []
    if words and isinstance(value, str) and words[0][0].isalpha():
        if words[0] not in _DISTRIBUTIONS:
            known = hint(words[0], _DISTRIBUTIONS, "distributions")
            raise _at(value, words, 0, f"unknown distribution {quoted(words[0])}; {known}")
        example, read = _DISTRIBUTIONS[words[0]]
        if len(words) != len(example.partition(" (")[0].split()):
            raise _at(value, words, 0, f"expected {example}")
        return read(value, words)
    if not words and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise unexpected("expected a time such as 20ms, or a distribution: exponential 20ms")
    seconds = duration.seconds(value)
    if not 0 < seconds <= MOST_SECONDS:
        raise unexpected(f"must be more than 0 and at most {number(MOST_SECONDS)} s")
    return FixedWork(value if isinstance(value, str) else f"{value:.12f}s", seconds)


def _time(text: str, words: list[str], place: int) -> float:
    """The seconds that a word says."""
    try:
        seconds = duration.seconds(words[place])
    except ValueError:
        problem = f"expected a time such as 20ms, found {quoted(words[place])}"
        raise _at(text, words, place, problem) from None
    if not 0 < seconds <= MOST_SECONDS:
        limits = f"must be more than 0 and at most {number(MOST_SECONDS)} s"
        raise _at(text, words, place, f"{limits}, found {quoted(words[place])}")
    return seconds


def _at(text: str, words: list[str], place: int, reason: str) -> PydanticCustomError:
    """The error of one word, whose column it has."""
    start = 0
    for word in words[:place]:
        start = text.index(word, start) + len(word)
    column = text.index(words[place], start) + 1
    return PydanticCustomError("condition", "{reason}", {"reason": reason, "column": column})


def _read(value: object, info: ValidationInfo) -> Work:
    reference = file_reference(value)
    if reference is None:
        return read_work(value)
    unknown = NumbersFile(reference.name)
    file = looked_at(reference, info, lambda files: files.numbers, unknown)
    return FileWork(f"file: {file.name}", file)


def _written(work: Work) -> object:
    return written_reference(work.file) if isinstance(work, FileWork) else work.text


WorkField = Annotated[
    Work,
    PlainValidator(_read),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SECONDS},
                {
                    "type": "string",
                    "pattern": rf"{duration.PATTERN}|^({'|'.join(_DISTRIBUTIONS)})( +[0-9.a-z]+)+$",
                },
                *FILE_SCHEMA,
            ]
        }
    ),
]
"""A `Work`, read from a time or from the words of a distribution."""
