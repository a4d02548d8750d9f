"""What a cluster cannot do and other testbeds can, in words for people. Pure."""

from collections.abc import Sequence

from ipvsload.errors import UsageError
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import LAB_ONLY

_NO_WEIGHTS = (
    "kube-proxy and kube-router give every real server weight 1: other weights need the lab, or an"
    " external director"
)
KEPT = "--keep-proxy: kube-proxy is measured as it is"

ALWAYS: dict[Capability, str] = {
    "weight": _NO_WEIGHTS,
    "weights": _NO_WEIGHTS,
    "faults": "a cluster takes a dead pod out of the table itself: faults need the lab",
    **LAB_ONLY,
}


def no_switch(why: str) -> str:
    """Why kube-proxy cannot be switched, and what can be done all the same."""
    return (
        f"kube-proxy cannot be switched from here: {why}. It can be measured as it is"
        " (--keep-proxy)"
    )


def refuse_weights(weights: Sequence[int]) -> None:
    """Raise UsageError where one is not 1."""
    if any(weight != 1 for weight in weights):
        raise UsageError(_NO_WEIGHTS)
