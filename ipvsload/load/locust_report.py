"""Telling Locust of the requests that it did not send itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.env import Environment

    from ipvsload.load.exchange import Exchange
    from ipvsload.load.workload import Workload


class RequestFailed(Exception):  # noqa: N818
    """A request without a whole answer, or with a bad one, in Locust's statistics."""

    def __repr__(self) -> str:
        # Locust groups failures by their text.
        return str(self)


def report(
    environment: "Environment",
    workload: "Workload",
    exchange: "Exchange",
    end_ns: int,
    error: str | None,
) -> None:
    """Tell Locust of a finished request; the response time is in ms with fractions."""
    response, path = exchange.response, workload.spec.path
    failure: Exception | None = None
    if error is not None:
        failure = RequestFailed(error)
    elif response.status >= 400:
        failure = RequestFailed(f"status {response.status}")
    environment.events.request.fire(
        request_type="GET",
        name=path,
        response_time=(end_ns - exchange.planned) / 1e6,
        response_length=response.size,
        response=None,
        context={"real_server": response.server, "class": workload.name},
        exception=failure,
        url=path,
    )
