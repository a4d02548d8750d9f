"""Telling Locust of the requests that it did not send itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.env import Environment

    from ipvsload.load.exchange import Exchange


class RequestFailed(Exception):  # noqa: N818
    """A request without a whole answer, or with a bad one, in Locust's statistics."""

    def __repr__(self) -> str:
        # Locust groups failures by their text.
        return str(self)


def report(
    environment: "Environment",
    exchange: "Exchange",
    path: str,
    traffic: str,
    end_ns: int,
    error: str | None,
) -> None:
    """Tell Locust of a finished request of class `traffic`; response time in ms with fractions."""
    response = exchange.response
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
        context={"real_server": response.server, "class": traffic},
        exception=failure,
        url=path,
    )
