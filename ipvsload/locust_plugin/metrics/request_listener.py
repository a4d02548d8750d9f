"""Counts the requests that Locust's request event tells of."""

from collections.abc import Callable
from typing import Any

from ipvsload.locust_plugin.metrics.request_counter import RequestCounter


def counting(counter: RequestCounter) -> Callable[..., None]:
    """Make a listener that counts our users' requests by class, others by method and name."""
    count = counter.request

    def listener(
        request_type: str,
        name: str,
        response_time: float | None,
        exception: BaseException | None = None,
        context: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        known = context or {}
        label = known.get("class") or f"{request_type} {name}"
        count(label, known.get("real_server"), response_time, exception is not None)

    return listener
