"""Text is readable on every colour of the palette, in the light and in the dark (WCAG 1.4.3)."""

import re

import pytest

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
    ("card", "step"),
]


def luminance(colour: str) -> float:
    full = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize(("text", "under"), ON)
def test_text_has_contrast(text: str, under: str, scheme: str) -> None:
    dark, bright = sorted(luminance(COLOURS[scheme][name]) for name in (text, under))
    assert (bright + 0.05) / (dark + 0.05) >= LEAST


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("family", ["s", "c"])
def test_no_two_colours_of_a_chart_are_the_same(family: str, scheme: str) -> None:
    found = [value for name, value in COLOURS[scheme].items() if re.fullmatch(rf"{family}\d", name)]
    assert len(found) == len(set(found)) > 4
