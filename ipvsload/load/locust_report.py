"""Tells Locust of finished requests: its statistics, and whoever else listens.

Locust has an event for each request, which costs more than the request itself. Where only
Locust's statistics and listeners of ours hear it, they are told of many at once. Anybody
else's listener gets each request by the event, as from any other user of Locust's.
"""

from collections.abc import Sequence

from locust.env import Environment

from ipvsload.load.locust_internals import log_requests, request_listeners
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic


class RequestFailed(Exception):  # noqa: N818
    """A request without a whole answer, or with a bad one, in Locust's statistics."""

    def __repr__(self) -> str:
        # Locust groups failures by their text.
        return str(self)


def report(environment: Environment, spec: Traffic, requests: Sequence[Request]) -> None:
    """Tell of finished requests of one class.

    A listener of ours, which takes many at once, has a method `hear(spec, requests)` for that.
    """
    listeners = request_listeners(environment)
    if not all(hasattr(one, "hear") for one in listeners):
        _fire_each(environment, spec, requests)
        return
    log_requests(
        environment.stats,
        "GET",
        spec.path,
        [request.latency_us for request in requests],
        sum([request.bytes for request in requests]),
    )
    for request in requests:
        if request.error is not None or request.status >= 400:
            environment.stats.log_error("GET", spec.path, RequestFailed(failure_kind(request)))
    for one in listeners:
        one.hear(spec, requests)


def failure_kind(request: Request) -> str | None:
    """Why it failed, in a word or two; None: it did not."""
    return request.error or (f"status {request.status}" if request.failed else None)


def late_us(spec: Traffic, request: Request) -> int | None:
    """How late it was sent, if it was one of an open workload; of one sent twice nobody knows."""
    if spec.open and request.untaken is None:
        return request.start_us - request.planned_us
    return None


def _fire_each(environment: Environment, spec: Traffic, requests: Sequence[Request]) -> None:
    """Fire the event; response times are in ms with fractions."""
    fire, path = environment.events.request.fire, spec.path
    for request in requests:
        failure = failure_kind(request)
        fire(
            request_type="GET",
            name=path,
            response_time=request.latency_us / 1e3,
            response_length=request.bytes,
            response=None,
            context={
                "real_server": request.server,
                "class": request.traffic,
                "retried": bool(request.retried),
                "queue_us": request.queue_us,
                "late_us": late_us(spec, request),
            },
            exception=RequestFailed(failure) if failure else None,
            url=path,
        )
