"""Who is on which worker: Locust's dispatcher, where it does not do what we need."""

from collections.abc import Iterator, Mapping
from typing import Any

from locust.dispatch import UsersDispatcher


class MixDispatcher(UsersDispatcher):  # type: ignore[misc]
    """Locust's own, whose mix of user classes can be changed while they run."""

    def reweigh(self) -> None:
        """Take the classes' weights as they are now; the next dispatch rebalances."""
        self._prepare_rebalance()


class IdleDispatcher(UsersDispatcher):  # type: ignore[misc]
    """Starts a test with no users, and never touches any: a timeline decides on them.

    Each worker is told once that the test has begun, with no word on classes.
    """

    def new_dispatch(self, *_: Any, **__: Any) -> None:
        """A dispatch of nobody."""

    def __iter__(self) -> Iterator[Mapping[str, Mapping[str, int]]]:
        yield {node.id: {} for node in self._worker_nodes}

    def add_worker(self, worker_node: Any) -> None:
        """A worker that comes late has no part in a test that has begun."""

    def remove_worker(self, worker_node: Any) -> None:
        """What a lost worker means is for the run to say."""

    @property
    def dispatch_in_progress(self) -> bool:
        """Always, so that Locust never starts another one by itself."""
        return True
