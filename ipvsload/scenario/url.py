"""Where load is sent, as people write it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ipvsload.errors import UsageError

MAX_PORT = 65_535
"""Port 0 is nobody's: the kernel gives it to nothing that can be connected to."""
_PORTS = {"http": 80, "https": 443}


class Tls(NamedTuple):
    """How a server's certificate is judged, and what a client shows of its own.

    `ca`, `client_cert` and `client_key` are paths of PEM files, "" for none. Without `ca`
    the machine's own authorities are asked; `insecure` takes any certificate. The names
    are those of the command line's options.
    """

    ca: str = ""
    insecure: bool = False
    client_cert: str = ""
    client_key: str = ""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Tls":
        """What these options of a command say. Raises UsageError where they do not fit."""
        tls = cls(**{name: options[name] for name in cls._fields if options.get(name)})
        if tls.ca and tls.insecure:
            raise UsageError("--ca says whom to trust and --insecure to trust anybody: give one")
        if tls.client_key and not tls.client_cert:
            raise UsageError("--client-key needs its certificate: --client-cert FILE")
        return tls


class HttpTarget(NamedTuple):
    """A host and its port; with `tls` it is an https server."""

    host: str
    port: int
    tls: Tls | None = None

    def __str__(self) -> str:
        scheme = "https" if self.tls else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}" + ("" if self.port == _PORTS[scheme] else f":{self.port}")


def read_url(url: str, tls: Tls | None = None) -> HttpTarget:
    """The target of http://ADDRESS[:PORT], or of https:// with `tls`. Raises UsageError."""
    tls = tls or Tls()
    found: HttpTarget | None = None
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            parts.hostname.encode("idna")  # a label that is empty or too long is no name's
            port = _PORTS[parts.scheme] if parts.port is None else parts.port
            found = HttpTarget(parts.hostname, port, tls if parts.scheme == "https" else None)
    if found is None or not found.port:
        raise UsageError(
            f"host {url!r}: expected http://ADDRESS[:PORT] or https://ADDRESS[:PORT], with a port"
            f" from 1 to {MAX_PORT}"
        )
    if found.tls is None and any(tls):
        option = next(name for name, value in tls._asdict().items() if value).replace("_", "-")
        raise UsageError(f"--{option} is for https://, and the balancer is at {url}")
    return found
