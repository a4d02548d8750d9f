"""The budgets of a worker's user classes, which the master has: see shared_budgets.py."""

from locust.env import Environment

from ipvsload.load.environment_load import environment_load
from ipvsload.locust_plugin.distributed import messages as m


class BorrowedBudgets:
    """Asks the master for parts of budgets; a `request_budget.Lender`."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._test = 0
        m.listen(environment.runner, m.LendRequests, self._lent, refused=lambda *_: None)

    def begin(self, test: int) -> None:
        """Take note that the test of this number starts; its budgets are whole."""
        self._test = test
        environment_load(self._environment).lender = self

    def ask(self, traffic_class: str, left: int) -> None:
        """See `Lender`."""
        self._send(m.WantRequests(self._test, traffic_class, left))

    def give_back(self, traffic_class: str, count: int, asks: bool) -> None:
        """See `Lender`."""
        self._send(m.ReturnRequests(self._test, traffic_class, count, asks))

    def _send(self, message: m.WorkerMessage) -> None:
        m.send(self._environment.runner, message)

    def _lent(self, _: str, message: m.LendRequests) -> None:
        if message.test == self._test:
            load = environment_load(self._environment)
            load.lent(message.user_class, message.requests, message.more)
