"""Counts the requests that Locust's request event tells of."""

from collections.abc import Callable
from typing import Any

from ipvsload.load.environment_load import RequestFailed
from ipvsload.load.tcp_connect import cause
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
        failure = None if exception is None else _kind(exception)
        count(
            label,
            known.get("real_server"),
            response_time,
            failure,
            known.get("retried", False),
            known.get("queue_us"),
            known.get("late_us"),
        )

    return listener


def _kind(exception: BaseException | str) -> str:
    """The kind of a failure: our word for it where there is one, else the exception's name."""
    if isinstance(exception, RequestFailed):
        return str(exception)
    if isinstance(exception, OSError) and exception.errno:
        return cause(exception)
    return type(exception).__name__
