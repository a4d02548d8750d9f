"""Says whether a request that changes something comes from our own page.

Locust lets every origin read its answers (CORS), so a secret in the page would
not be secret. What a browser itself says of a request cannot be forged by a page:
`Sec-Fetch-Site` and `Origin`. A site whose name is made to lead to this machine
(DNS rebinding) counts as the same origin; only its name is different. So where no
login is asked for, names that only others can have given are refused, too.
"""

import socket
from collections.abc import Mapping
from ipaddress import ip_address

# Names that public DNS does not have.
_PRIVATE = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test")


def refusal(headers: Mapping[str, str], *, login: bool) -> str:
    """Say why a request must not change anything; "" if it may.

    Args:
        headers: the request's; names in any case, as Flask's are.
        login: whether it was let in by a login, whose cookie is bound to our name.
    """
    host = headers.get("Host", "").lower()
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if origin == "null" or (site is not None and site != "same-origin"):
        return "this was asked for by another site's page"
    # A proxy may have another name than this machine; only the browser knows it.
    if site is None and origin is not None and origin.lower().partition("://")[2] != host:
        return (
            f"this was asked for by a page of {origin[:100]}, and this is {host[:100]};"
            " a proxy in between must pass the Host header on"
        )
    name = _name(host)
    if origin is None and site is None:
        return ""  # no browser
    if login or _private(name) or name in _own_names():
        return ""
    return (
        f"the page was opened as {name[:100]!r}, which anybody could have named so: open it by"
        " this machine's own name or address, or start Locust with --web-login"
    )


def _name(host: str) -> str:
    """The host without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _private(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_PRIVATE)
    return True


def _own_names() -> set[str]:
    own = socket.gethostname().lower()
    return {own, socket.getfqdn(own).lower()}
