"""Changes that a person makes while load runs, in their turn.

They come from a web page, in the middle of something else; what drives the run
carries them out between two events, and whoever asked waits for the answer.
"""

from collections.abc import Callable

from gevent.event import AsyncResult, Event

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError, UsageError
from ipvsload.experiment.controls import Action, Burst, Kill, Scale, SetMix, SetScheduler, SetWeight
from ipvsload.experiment.run_servers import Servers
from ipvsload.testbed.base import Testbed

_BEGUN_WITHIN = 10.0


class Hands:
    """Carries actions out on a testbed and its load; `burst` starts a burst."""

    def __init__(
        self, testbed: Testbed, servers: Servers, burst: Callable[[int, float], None]
    ) -> None:
        self._testbed = testbed
        self._servers = servers
        self._burst = burst

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done. Raises IpvsloadError."""
        match action:
            case SetScheduler(scheduler=scheduler):
                self._testbed.set_balancer(scheduler)
                return f"scheduler {scheduler}"
            case SetWeight(server=server, weight=weight):
                self._servers.reweigh(server, weight)
                return f"server {server}: weight {weight}"
            case Scale(servers=count):
                self._servers.scale(count)
                return f"scale to {count}"
            case Kill(server=server):
                self._servers.kill(server)
                return f"kill server {server}"
            case Burst(requests=requests, seconds=seconds):
                self._burst(requests, seconds)
                return f"burst of {requests} x {seconds:g} s"
            case SetMix():
                raise UsageError("here the scenario decides how many users there are")


class ByHand:
    """An action on its way to who carries it out."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self._begun = Event()
        self._given_up = False
        self._result: AsyncResult[str] = AsyncResult()

    def carry_out(self, hands: Hands, done: Callable[[str], None]) -> None:
        """Do it, tell `done` what was done, and let who asked go on."""
        if self._given_up:
            return
        self._begun.set()
        try:
            text = hands.carry_out(self._action)
        except IpvsloadError as error:
            self._result.set_exception(error)
        else:
            done(text)
            self._result.set(text)
        finally:
            if not self._result.ready():
                self._result.set_exception(InvalidRunError("the run broke off"))

    def wait(self) -> str:
        """What was done; the testbed has deadlines of its own. Raises IpvsloadError."""
        if not self._begun.wait(_BEGUN_WITHIN):
            self._given_up = True
            raise TestbedError(f"the run did not come to it within {_BEGUN_WITHIN:.0f} s")
        done: str = self._result.get()
        return done
