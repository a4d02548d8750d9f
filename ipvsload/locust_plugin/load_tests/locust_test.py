"""What the two kinds of test under Locust's command have in common.

A test either plays a scenario (scenario_test.py), or its users come and go as
people say on Locust's page (interactive_test.py).
"""

from collections.abc import Mapping
from typing import Protocol

from ipvsload.locust_plugin.live.prediction_basis import PredictionBasis
from ipvsload.scenario.actions import PAGE_ACTIONS
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.actions.set_mix import SetMix
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import Observation


class PageActions(Protocol):
    """What the page's controls can do."""

    def offers(self) -> dict[str, str]:
        """The key of every action, with why it cannot be had now; "" where it can."""

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done.

        Raises IpvsloadError with a reason for people; nothing has changed then.
        """

    def mix(self) -> dict[str, int]:
        """The weight of each user class now; empty where the mix cannot be changed."""


class LocustTest(PageActions, Protocol):
    """A test from its start to its end."""

    @property
    def over(self) -> bool:
        """Whether it has ended by itself."""

    @property
    def status(self) -> int | None:
        """The contract's exit status once it has ended; None where Locust's own rule holds."""

    def worker_lost(self, reason: str) -> None:
        """Take note that a worker has gone, or cannot take part, and why."""

    def stopping(self) -> None:
        """Do what has to be done before Locust stops the users."""

    def stop(self) -> None:
        """End the test if it has not ended; return when it has."""


def prediction_basis(
    testbed: Observation, unwatched: str, forwarding: str, netmask: int | None
) -> PredictionBasis:
    """What a live prediction of the test's service stands on, or why there is none.

    `unwatched` is why nobody hears of connections; "" where that is heard.
    """
    if not testbed.exclusive:
        why = "others may use this balancer, too, and the model must know every connection"
    else:
        why = unwatched
    return PredictionBasis(why, testbed.kernel.get("lc_law"), forwarding, netmask)


def offered(lacks: Mapping[Capability, str], mix: str) -> dict[str, str]:
    """Make the answer of `offers` of what a testbed lacks, and why the mix cannot be changed."""
    reasons = {
        key: lacks.get(action.needs, "") if action.needs else ""
        for key, action in PAGE_ACTIONS.items()
    }
    return reasons | {SetMix.key: mix}
