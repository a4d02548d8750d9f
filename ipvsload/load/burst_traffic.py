"""Requests that a person adds to a running test, all at once."""

from ipvsload.scenario.model import Traffic

BURST = "burst"
"""The name of their traffic class."""
_TIMEOUT = 60.0
"""Seconds that an answer may take beyond those that the request is held open."""


def burst_traffic(requests: int, seconds: float) -> Traffic:
    """A burst as a class: one user for each request, which is held open for so many seconds."""
    return Traffic(
        request=f"GET /delay/{seconds:g}",
        users=requests,
        requests=requests,
        timeout=seconds + _TIMEOUT,
    )
