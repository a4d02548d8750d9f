"""When the requests of an open workload are due: arithmetic, without a clock.

The plan is made before the first request is sent. So a request that is sent late can be
measured from the time when it was due, and the plan can be divided among workers who do
not talk to each other: each makes the whole plan, and takes every nth arrival of it.

Arrivals are marks on a line on which one arrival is expected for each unit of length.
Even arrivals are the whole numbers, those of a Poisson process have exponential
distances. The rate says when each point of the line is reached: the inverse of the rate's
integral (Cinlar, Introduction to Stochastic Processes, 1975, section 4.7).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.scenario.stages import Stage, expected
from ipvsload.scenario.traffic import Traffic

_SECOND = 1_000_000_000


def due_times(spec: Traffic, *key: object) -> Iterator[int]:
    """When each request of an open class is due, in ns after its start, in that order.

    The same key brings the same times.
    """
    if spec.arrivals == "poisson":
        marks: Iterable[float] = poisson_marks(RandomNumbers(*key, "arrivals"))
    else:
        marks = count()
    return islice(reached(marks, spec.rate_stages), spec.requests)


def poisson_marks(numbers: RandomNumbers) -> Iterator[float]:
    """The arrivals of a Poisson process whose rate is 1."""
    mark = 0.0
    for place in count():
        mark -= math.log1p(-numbers.at(place))
        yield mark


def reached(marks: Iterable[float], stages: Sequence[Stage]) -> Iterator[int]:
    """When the integral of the rate reaches each mark, in ns; marks beyond its end are left out.

    A mark at the end of a stage belongs to the next one, so that what is due at the very
    end is left out, too.
    """
    coming = iter(marks)
    mark = next(coming, math.inf)
    began_s = passed = 0.0
    for stage in stages:
        # Rounded, because 1.1 * 10 is 11.000000000000002: these are 11 arrivals and not 12.
        whole = round(passed + expected([stage]), 6)
        while mark < whole:
            yield round((began_s + stage.reaches(mark - passed)) * _SECOND)
            mark = next(coming, math.inf)
        began_s, passed = began_s + stage.over, whole
