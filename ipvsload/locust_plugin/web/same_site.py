"""Says whether a request comes from our own page, and not from another site's.

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
_ANOTHER_SITE = "this was asked for by another site's page"
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
        return _ANOTHER_SITE
    if reason := _foreign_origin(site, origin, host):
        return reason
    if origin is None and site is None:
        return ""  # no browser
    return "" if login else _foreign_name(host)


def reading_refusal(headers: Mapping[str, str], *, login: bool, any_name: bool = False) -> str:
    """Say why what is read might be read by another site's page; "" if it may be answered.

    Over plain HTTP a browser does not say which page asks (only "potentially
    trustworthy" addresses get Sec-Fetch-Site), and a page that DNS rebinding made ours
    needs no Origin to read. So there the name decides, for programs, too.

    Args:
        headers: the request's.
        login: as for `refusal`.
        any_name: whether programs may use whatever name leads here.
    """
    host = headers.get("Host", "").lower()
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    # "none": a person typed the address. Browsers say nothing else of their own.
    if origin == "null" or site not in (None, "same-origin", "none"):
        return _ANOTHER_SITE
    if reason := _foreign_origin(site, origin, host):
        return reason
    return "" if login or any_name or site else _foreign_name(host)


def _foreign_origin(site: str | None, origin: str | None, host: str) -> str:
    # A proxy may have another name than this machine; only the browser knows it.
    if site is None and origin is not None and origin.lower().partition("://")[2] != host:
        return (
            f"this was asked for by a page of {origin[:100]}, and this is {host[:100]};"
            " a proxy in between must pass the Host header on"
        )
    return ""


def _foreign_name(host: str) -> str:
    name = _name(host)
    if _private(name) or name in _own_names():
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
