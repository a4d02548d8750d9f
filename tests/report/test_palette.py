"""Text is readable on every colour of the palette, in the light and in the dark (WCAG 1.4.3).

What a colour says of a comparison is told apart by colour-blind people, too.
"""

import math
import re
from collections.abc import Sequence
from itertools import combinations

import pytest

from ipvsload.report.html.column_styles import COLOURS as COLUMN_COLOURS
from ipvsload.report.html.template_environment import PALETTE

LEAST = 4.5
_LIGHT, _DARK = (
    dict(re.findall(r"--(\w+): *#([0-9a-f]+)", part))
    for part in PALETTE.read_text().split("@media")
)
COLOURS = {"light": _LIGHT, "dark": {**_LIGHT, **_DARK}}
ON = [
    *((f"{name}i", name) for name in (*(f"s{i}" for i in range(8)), "m0", "m1", "do")),
    *((text, under) for text in ("ink0", "ink1", "bad") for under in ("card", "paper")),
    *((name, f"{name}bg") for name in ("ok", "bad", "warn")),
    *(("ink0", f"{name}bg") for name in ("ok", "bad", "warn")),
    *((verdict, "card") for verdict in ("good", "worse", "equal")),
    ("card", "step"),
]
VERDICTS = ("good", "worse", "equal", "ink1")
APART = 20.0
"""The distance of two colours in CIELAB (1976) from which they are told apart at a glance."""
SEEN_BY: dict[str, tuple[tuple[float, float, float], ...]] = {
    "most": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "the red-blind": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "the green-blind": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    "the blue-blind": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ),
}
"""Linear RGB as others see it: Vienot, Brettel and Mollon, Color Research and Application 24
(1999) 243-252, in sRGB's primaries; of the blue-blind Machado, Oliveira and Fernandes, IEEE
Transactions on Visualization and Computer Graphics 15 (2009) 1291-1298, at severity 1."""
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.089)


def linear_light(colour: str) -> list[float]:
    full = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def luminance(colour: str) -> float:
    return sum(
        weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear_light(colour), strict=True)
    )


def times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(light: Sequence[float]) -> tuple[float, float, float]:
    xyz = [max(0.0, p) / w for p, w in zip(times(_TO_XYZ, light), _WHITE, strict=True)]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize(("text", "under"), ON)
def test_text_has_contrast(text: str, under: str, scheme: str) -> None:
    dark, bright = sorted(luminance(COLOURS[scheme][name]) for name in (text, under))
    assert (bright + 0.05) / (dark + 0.05) >= LEAST


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("family", ["s", "c", "l"])
def test_no_two_colours_of_a_chart_are_the_same(family: str, scheme: str) -> None:
    found = [value for name, value in COLOURS[scheme].items() if re.fullmatch(rf"{family}\d", name)]
    assert len(found) == len(set(found)) > 4


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("eyes", SEEN_BY)
@pytest.mark.parametrize(("one", "other"), list(combinations(VERDICTS, 2)))
def test_verdicts_are_told_apart_by_everybody(one: str, other: str, eyes: str, scheme: str) -> None:
    seen = [lab(times(SEEN_BY[eyes], linear_light(COLOURS[scheme][name]))) for name in (one, other)]
    assert math.dist(*seen) >= APART


def test_red_and_green_of_one_brightness_are_not_told_apart_by_everybody() -> None:
    seen = [lab(times(SEEN_BY["the green-blind"], linear_light(c))) for c in ("b85c00", "757500")]
    assert math.dist(*seen) < APART


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("eyes", SEEN_BY)
def test_lines_of_columns_are_told_apart_by_everybody(eyes: str, scheme: str) -> None:
    seen = [
        lab(times(SEEN_BY[eyes], linear_light(COLOURS[scheme][f"l{i}"])))
        for i in range(COLUMN_COLOURS)
    ]
    assert min(math.dist(*two) for two in combinations(seen, 2)) >= APART


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("name", [f"l{i}" for i in range(COLUMN_COLOURS)])
def test_lines_of_columns_stand_out_from_the_card(name: str, scheme: str) -> None:
    """WCAG 1.4.11: what is drawn needs a contrast of 3."""
    dark, bright = sorted(luminance(COLOURS[scheme][part]) for part in (name, "card"))
    assert (bright + 0.05) / (dark + 0.05) >= 3.0
