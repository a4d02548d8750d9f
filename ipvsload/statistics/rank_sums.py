"""The exact distributions of sums of ranks: all signs, or all choices, are equally probable.

Counted for each sum at once, by the polynomial whose powers are the sums (Pagano and Tritchler,
"On Obtaining Permutation Distributions in Polynomial Time", Journal of the American Statistical
Association 78, 1983). Ranks are doubled, so that the midranks of ties are whole numbers, and
ties cost nothing. The polynomial is one whole number, whose digits are its coefficients, wide
enough for all of them together: Python multiplies and adds such numbers quickly.
"""

from functools import lru_cache


def signs_up_to(doubled: tuple[int, ...], most: int) -> float:
    """The part of all signs of these ranks for which the positive ones add up to `most` at most."""
    width = len(doubled) + 1
    return _digits_up_to(_of_signs(doubled), most, width) / (1 << len(doubled))


def choices_up_to(doubled: tuple[int, ...], chosen: int, most: int) -> float:
    """The part of all choices of so many of these ranks that add up to `most` at most."""
    width = len(doubled) + 1
    ways = _of_choices(doubled, chosen)
    return _digits_up_to(ways, most, width) / _digits_up_to(ways, sum(doubled), width)


@lru_cache(maxsize=4096)
def _of_signs(doubled: tuple[int, ...]) -> int:
    width, ways = len(doubled) + 1, 1
    for rank in doubled:
        ways += ways << rank * width
    return ways


@lru_cache(maxsize=1024)
def _of_choices(doubled: tuple[int, ...], chosen: int) -> int:
    width = len(doubled) + 1
    ways = [1] + [0] * chosen
    for rank in doubled:
        for many in range(chosen, 0, -1):
            ways[many] += ways[many - 1] << rank * width
    return ways[chosen]


def _digits_up_to(ways: int, most: int, width: int) -> int:
    """The sum of the digits up to the one at `most`."""
    if most < 0:
        return 0
    # A number and the sum of its digits leave the same rest by the base less one (as by nine),
    # and all digits together are less than that: 2^n of 2^(n + 1).
    return (ways & (1 << (most + 1) * width) - 1) % ((1 << width) - 1)
