"""Counts the requests that Locust's request event tells of, and ours in batches."""

from collections.abc import Sequence
from typing import Any

from ipvsload.load.locust_report import RequestFailed, failure_kind, late_us
from ipvsload.load.tcp_connect import cause
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic


class RequestListener:
    """Counts our users' requests by class, others by method and name.

    It listens to the event; of ours it hears many at once (load/locust_report.py).
    """

    def __init__(self, counter: RequestCounter) -> None:
        self._counter = counter

    def __call__(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        exception: BaseException | None = None,
        context: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Count a request that the event tells of."""
        known = context or {}
        self._counter.request(
            known.get("class") or f"{request_type} {name}",
            known.get("real_server"),
            response_time,
            None if exception is None else _kind(exception),
            known.get("retried", False),
            known.get("queue_us"),
            known.get("late_us"),
        )

    def hear(self, spec: Traffic, requests: Sequence[Request]) -> None:
        """Count our users' requests of one class."""
        quick: dict[str | None, list[int]] = {}
        is_open = spec.open
        for request in requests:
            (_, traffic, _, _, latency_us, status, _, _, _, _, server, error, _, _, retried, _,
             queue_us, _) = request  # fmt: skip
            if error is None and status < 400 and queue_us is None and not (retried or is_open):
                if server in quick:
                    quick[server].append(latency_us)
                else:
                    quick[server] = [latency_us]
            else:
                self._counter.request(
                    traffic,
                    server,
                    latency_us / 1000,
                    failure_kind(request),
                    bool(retried),
                    queue_us,
                    late_us(spec, request),
                )
        for server, latencies_us in quick.items():
            self._counter.answered(requests[0].traffic, server, latencies_us)


def _kind(exception: BaseException | str) -> str:
    """The kind of a failure: our word for it where there is one, else the exception's name."""
    if isinstance(exception, RequestFailed):
        return str(exception)
    if isinstance(exception, OSError) and exception.errno:
        return cause(exception)
    return type(exception).__name__
