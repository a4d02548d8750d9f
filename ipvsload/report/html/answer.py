"""What report.html answers first: a sentence a class, a forest a measure, and all pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ipvsload.report.html.forest import Forest, Kind, forests, undrawn
from ipvsload.report.html.pair_matrix import PairMatrix, methods, pair_matrices
from ipvsload.report.measure_words import part_words
from ipvsload.report.verdict_words import class_sentences
from ipvsload.results.results import Results

_MARKS: dict[Kind, str] = {
    "good": "better, p below 0.05",
    "bad": "worse, p below 0.05",
    "changed": "not the same, p below 0.05",
    "equivalent": "equivalent: within the margin",
    "undecided": "~: no difference is shown",
    "untested": "too few runs to show anything",
}


class Said(NamedTuple):
    """A sentence in parts: of which class, what to take, and the rest. Any may be ""."""

    traffic: str
    take: str
    rest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence a class, a forest a measure, and the matrices of all pairs with the methods.

    `undrawn` are measures with one value everywhere, or of the one column; `marks` are the
    marks that are there, `margins` what counts as little.
    """

    sentences: tuple[Said, ...]
    forests: tuple[Forest, ...]
    undrawn: tuple[tuple[str, str], ...]
    marks: tuple[tuple[Kind, str], ...]
    margins: str
    pairs: tuple[PairMatrix, ...]
    methods: tuple[str, ...]


def answer(results: Results, classes: Sequence[str]) -> Answer:
    """The first screen's parts; all are empty where nothing was measured."""
    drawn = tuple(forests(results))
    seen = {row.kind for forest in drawn for row in forest.rows}
    return Answer(
        sentences=tuple(_said(sentence, classes) for sentence in class_sentences(results)),
        forests=drawn,
        undrawn=tuple(undrawn(results)),
        marks=tuple((kind, words) for kind, words in _MARKS.items() if kind in seen),
        margins=" and ".join(dict.fromkeys(part_words(pair.margin) for pair in results.comparison)),
        pairs=tuple(pair_matrices(results)),
        methods=tuple(methods(results)),
    )


def _said(sentence: str, classes: Sequence[str]) -> Said:
    """Take a sentence apart, so that the page can stress its class and what to take."""
    name = next((name for name in classes if sentence.startswith(f"{name}: ")), "")
    rest = sentence.removeprefix(f"{name}: ")
    head, colon, why = rest.partition(": ")
    return Said(name, head, why) if colon and head.startswith("take ") else Said(name, "", rest)
