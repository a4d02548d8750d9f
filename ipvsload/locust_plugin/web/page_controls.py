"""The page's controls, over whatever test is running."""

from collections.abc import Callable

from ipvsload.errors import UsageError
from ipvsload.locust_plugin.load_tests.locust_test import LocustTest
from ipvsload.scenario.actions import PAGE_ACTIONS
from ipvsload.scenario.actions.base import Action

IDLE = "no test is running: start one on Locust's page"


class PageControls:
    """Passes the page's actions on; `current_test` returns the test that is running, if any.

    See `locust_test.PageActions`.
    """

    def __init__(self, current_test: Callable[[], LocustTest | None]) -> None:
        self._current_test = current_test

    def offers(self) -> dict[str, str]:
        """The key of every action, with why it cannot be had now; "" where it can."""
        test = self._current_test()
        if test is None or test.over:
            return dict.fromkeys(PAGE_ACTIONS, IDLE)
        return test.offers()

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done. Raises IpvsloadError."""
        test = self._current_test()
        reason = self.offers()[action.key]
        if test is None or reason:
            raise UsageError(reason or IDLE)
        return test.carry_out(action)

    def mix(self) -> dict[str, int]:
        """The weight of each user class now; empty where there is nothing to mix."""
        test = self._current_test()
        return test.mix() if test is not None and not test.over else {}
