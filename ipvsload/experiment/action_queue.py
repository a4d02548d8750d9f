"""Actions that a person asks for while a run goes on, in their turn.

They come from a web page, in the middle of something else; the run carries
them out between two events, and whoever asked waits for the answer.
"""

from collections.abc import Callable

from gevent.event import AsyncResult, Event

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError
from ipvsload.scenario.actions.base import Action, ActionTarget

_BEGUN_WITHIN = 10.0


class QueuedAction:
    """An action on its way to the run that carries it out."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self._begun = Event()
        self._given_up = False
        self._result: AsyncResult[str] = AsyncResult()

    def carry_out(self, target: ActionTarget, done: Callable[[str], None]) -> None:
        """Do it, call `done` with what was done in words, and let who asked go on."""
        if self._given_up:
            return
        self._begun.set()
        try:
            text = self._action.carry_out(target)
        except IpvsloadError as error:
            self._result.set_exception(error)
        else:
            done(text)
            self._result.set(text)
        finally:
            if not self._result.ready():
                self._result.set_exception(InvalidRunError("the run broke off"))

    def wait(self) -> str:
        """Wait until it is done; returns what was done, in words. Raises IpvsloadError.

        Only its beginning has a deadline here: the testbed has deadlines of its own.
        """
        if not self._begun.wait(_BEGUN_WITHIN):
            self._given_up = True
            raise TestbedError(f"the run did not come to it within {_BEGUN_WITHIN:.0f} s")
        done: str = self._result.get()
        return done
