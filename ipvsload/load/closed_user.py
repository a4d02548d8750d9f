"""One user of a closed workload, who waits for each answer before asking again."""

from collections.abc import Callable

from ipvsload.load.exchange import Exchange, Owner


class ClosedUser(Exchange):
    """One user of a closed workload: a request, its answer, a pause, the next request.

    `pause` gives the seconds before the next request; `on_gone` is called once,
    when the user will not send again and has nothing in flight.
    """

    __slots__ = ("leaving", "on_gone", "pause")
    one_connection = True

    def __init__(
        self,
        workload: Owner,
        pause: Callable[[], float] | None,
        on_gone: Callable[[], None] | None,
    ) -> None:
        super().__init__(workload)
        self.pause = pause
        self.on_gone = on_gone
        self.leaving = False
