"""Which virtual service of a director's table a URL reaches. Pure.

A person may name it. Otherwise the kernel's own rule is followed where the table
has the URL's address: the service at its port, then the one at port 0, which
takes every port (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_service_find). Behind an
address translation nothing but the port is left to go by, or that there is only
one: that is a guess, and said. A URL of http is TCP's, so services of other
protocols are never meant; a mark may be given to any packet.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.keys import join_key, parse_service, service_key, split_key
from ipvsload.ipvs.table import VirtualService

_SERVICES_SHOWN = 10
_FLAG = "--service-key"


class ServiceChoice(NamedTuple):
    """The service, and in words why it is only a guess; "" where it is none."""

    service: VirtualService
    guess: str = ""


def canonical_key(text: str) -> str:
    """The key that a person gave, as samples write it. Raises UsageError."""
    try:
        key = service_key(parse_service(" ".join(text.split())))
    except ValueError as error:
        raise UsageError(f"{_FLAG}: {error}") from None
    if not _takes_tcp(key):
        raise UsageError(f"{_FLAG} {key!r}: a URL of http reaches a service of TCP, or a mark")
    return key


def named(services: Sequence[VirtualService], key: str) -> VirtualService:
    """The service with this key. Raises TestbedError."""
    for one in services:
        if one.key == key:
            return one
    raise TestbedError(f"the balancer's table has no service {key}; it {_has(services)}")


def choose(
    services: Sequence[VirtualService], addresses: Collection[str], port: int, url: str
) -> ServiceChoice:
    """The service that `url` reaches, whose host has these addresses.

    Raises TestbedError where none can be meant, or several could be.
    """
    able = [one for one in services if _takes_tcp(one.key)]
    for number in (port, 0):
        keys = {join_key(address, number) for address in addresses}
        if exact := [one for one in able if one.key in keys]:
            return ServiceChoice(_only(exact, url))
    if same_port := [one for one in able if split_key(one.key).port == port]:
        found = _only(same_port, url)
        return ServiceChoice(found, _guess(found, url, f"the only one of TCP at port {port}"))
    # Each of these takes every port. A mark has a service for each family of addresses.
    ipv6 = any(":" in address for address in addresses)
    if any_port := [one for one in able if _takes_every_port(one.key, ipv6)]:
        found = _only(any_port, url)
        return ServiceChoice(found, _guess(found, url, "the only one that takes every port"))
    raise TestbedError(f"the balancer's table has no service for {url}; it {_has(services)}")


def _only(found: list[VirtualService], url: str) -> VirtualService:
    if len(found) == 1:
        return found[0]
    raise TestbedError(
        f"{url} may reach any of {_names(found)}: say which, as {_FLAG} '{found[0].key}'"
    )


def _guess(found: VirtualService, url: str, why: str) -> str:
    return (
        f"{found.key} is taken for the service that {url} reaches, because it is {why}; name it"
        f" with {_FLAG} where that is wrong"
    )


def _takes_tcp(key: str) -> bool:
    return split_key(key).protocol in ("tcp", "fwmark")


def _takes_every_port(key: str, ipv6: bool) -> bool:
    parts = split_key(key)
    return not parts.port and (parts.protocol != "fwmark" or parts.ipv6 == ipv6)


def _has(services: Sequence[VirtualService]) -> str:
    return f"has {_names(services)}" if services else "is empty"


def _names(services: Sequence[VirtualService]) -> str:
    shown = ", ".join(one.key for one in services[:_SERVICES_SHOWN])
    more = len(services) - _SERVICES_SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
