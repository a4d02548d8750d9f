"""The page's controls, over whatever test is running."""

from typing import TYPE_CHECKING

from ipvsload.errors import UsageError
from ipvsload.scenario.actions import PAGE_ACTIONS
from ipvsload.scenario.actions.base import Action

if TYPE_CHECKING:
    from ipvsload.locust_plugin.plugin import Plugin

IDLE = "no test is running: start one on Locust's page"


class Desk:
    """See `page.page.Driver`."""

    def __init__(self, plugin: "Plugin") -> None:
        self._plugin = plugin

    def offers(self) -> dict[str, str]:
        """The key of every action, with why it cannot be had now; "" where it can."""
        trial = self._plugin.trial
        if trial is None or trial.over:
            return dict.fromkeys(PAGE_ACTIONS, IDLE)
        return trial.offers()

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done. Raises IpvsloadError."""
        trial = self._plugin.trial
        reason = self.offers()[action.key]
        if trial is None or reason:
            raise UsageError(reason or IDLE)
        return trial.carry_out(action)

    def mix(self) -> dict[str, int]:
        """The weight of each user class now; empty where there is nothing to mix."""
        trial = self._plugin.trial
        return trial.mix() if trial is not None and not trial.over else {}
