"""How evenly something is spread: Jain's index, and the greatest part over the mean."""

from collections.abc import Sequence


def jain_index(parts: Sequence[float]) -> float | None:
    """(sum of x)^2 / (n * sum of x^2): 1 where all are equal, 1/n where one has everything.

    Jain, Chiu and Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource
    Allocation in Shared Computer Systems", DEC TR-301, 1984. None where there is nothing to
    spread. Parts are not negative.
    """
    greatest = max(parts, default=0)
    if not greatest:
        return None
    # In parts of the greatest: squares of very small numbers would vanish.
    scaled = [part / greatest for part in parts]
    total = sum(scaled)
    return total * total / (len(scaled) * sum(part * part for part in scaled))


def greatest_over_mean(parts: Sequence[float]) -> float | None:
    """From 1, where all are equal, to n, where one has everything; None as above."""
    greatest = max(parts, default=0)
    if not greatest:
        return None
    return len(parts) / sum(part / greatest for part in parts)
