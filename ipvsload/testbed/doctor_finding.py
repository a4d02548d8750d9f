"""What `ipvsload doctor` finds."""

from typing import NamedTuple


class DoctorFinding(NamedTuple):
    """One part of a testbed: whether it is there, and if not, what mends it."""

    what: str
    good: bool
    text: str
