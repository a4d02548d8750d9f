"""Where load is sent, as people write it."""

from urllib.parse import urlsplit

from ipvsload.errors import UsageError


def read_url(url: str) -> tuple[str, int]:
    """Host and port of http://ADDRESS[:PORT]. Raises UsageError."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname:
            return parts.hostname, parts.port or 80
    except ValueError:
        pass
    raise UsageError(f"host {url!r}: expected http://ADDRESS[:PORT]")
