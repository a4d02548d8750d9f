"""A function that is called at a time, unless nobody wants it any more by then."""

from collections.abc import Callable


class DueCall:
    """A function that will be called, unless it is cancelled before."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[int], None]) -> None:
        self.function: Callable[[int], None] | None = function

    def __call__(self, when_ns: int) -> None:
        """It is due, at that time."""
        if self.function is not None:
            self.function(when_ns)

    def cancel(self) -> None:
        """Do not call it."""
        self.function = None
