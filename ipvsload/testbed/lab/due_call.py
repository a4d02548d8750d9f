"""A function that is called at a time, unless nobody wants it any more by then."""

from collections.abc import Callable


class DueCall:
    """A function that will be called, unless it is cancelled before."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[int], None]) -> None:
        self.function: Callable[[int], None] | None = function

    def __call__(self, when_ns: int) -> None:
        """It is due, at that time."""
        function, self.function = self.function, None
        if function is not None:
            function(when_ns)

    @property
    def pending(self) -> bool:
        """Whether it will be called."""
        return self.function is not None

    def cancel(self) -> None:
        """Do not call it."""
        self.function = None
