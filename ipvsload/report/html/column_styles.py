"""How columns are told apart in a chart that has all of them: by colour, then by dash.

Each line has its label beside it, so that nobody needs the colours. Six are as many as people
with any colour vision tell apart (tests/report/test_palette.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass

COLOURS = 6
DASHES = ("", "7 3", "1.5 2.5", "9 3 1.5 3")
"""SVG's stroke-dasharray, in pixels; the first is a whole line."""


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """A CSS variable and a dash."""

    colour: str
    dash: str


GREY = ColumnStyle("--muted", "")


def column_styles(labels: Iterable[str]) -> dict[str, ColumnStyle]:
    """The style of each column by its label; grey beyond COLOURS times DASHES of them."""
    styles = [ColumnStyle(f"--l{i}", dash) for dash in DASHES for i in range(COLOURS)]
    return {
        label: styles[i] if i < len(styles) else GREY
        for i, label in enumerate(dict.fromkeys(labels))
    }
