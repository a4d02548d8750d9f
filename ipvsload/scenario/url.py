"""Where load is sent, as people write it."""

from urllib.parse import urlsplit

from ipvsload.errors import UsageError

MAX_PORT = 65_535
"""Port 0 is nobody's: the kernel gives it to nothing that can be connected to."""


def read_url(url: str) -> tuple[str, int]:
    """Host and port of http://ADDRESS[:PORT]. Raises UsageError."""
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
        if parts.scheme == "http" and parts.hostname and port:
            return parts.hostname, port
    except ValueError:
        pass
    raise UsageError(
        f"host {url!r}: expected http://ADDRESS[:PORT], with a port from 1 to {MAX_PORT}"
    )
