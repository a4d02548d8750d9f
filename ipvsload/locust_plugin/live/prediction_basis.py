"""What a live prediction stands on; what samples tell later is not in it."""

from typing import NamedTuple


class PredictionBasis(NamedTuple):
    """What is known of the service under test, or `why` nothing can be foretold of it.

    `lc_law` is how much an active connection counts beside a finished one (ipvs/lc_laws.py), None
    where that is not known. `forwarding` and `netmask` are as a ServiceUnderTest has them.
    """

    why: str = ""
    lc_law: int | None = None
    forwarding: str = ""
    netmask: int | None = None


NOT_ASKED = PredictionBasis(why="nobody foretells this test")
