"""How services and real servers are named, because text is what people and files compare.

A virtual service is "tcp 192.0.2.80:80", "udp [2001:db8::1]:53", "sctp ...",
"fwmark 7" or "fwmark 7 v6"; a real server is "198.51.100.11:80". The kernel has
16 bytes of address for either family and the port in network order.
"""

from socket import AF_INET, AF_INET6, htons, inet_ntop, inet_pton, ntohs
from typing import NamedTuple

PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp", 50: "esp", 51: "ah"}
_NUMBERS = {name: number for number, name in PROTOCOLS.items()}


class Identity(NamedTuple):
    """What tells one virtual service from another; port as the kernel has it (network order)."""

    family: int
    protocol: int
    address: bytes
    port: int
    fwmark: int


def endpoint(family: int, address: bytes, port: int) -> str:
    """Write raw address bytes and a network-order port as "192.0.2.1:80" or "[2001:db8::1]:80"."""
    if family == AF_INET6:
        return f"[{inet_ntop(AF_INET6, address[:16])}]:{ntohs(port)}"
    return f"{inet_ntop(AF_INET, address[:4])}:{ntohs(port)}"


def parse_endpoint(text: str) -> tuple[int, bytes, int]:
    """The inverse of `endpoint`: (family, 16 bytes of address, network-order port).

    Raises ValueError, with what was expected.
    """
    host, colon, port = text.rpartition(":")
    try:
        if not colon or not 0 <= int(port) <= 65535:
            raise ValueError(port)
        if host.startswith("[") and host.endswith("]"):
            return AF_INET6, inet_pton(AF_INET6, host[1:-1]), htons(int(port))
        return AF_INET, inet_pton(AF_INET, host).ljust(16, b"\0"), htons(int(port))
    except (OSError, ValueError):
        raise ValueError(
            f"{text!r} is not ADDRESS:PORT (as 192.0.2.1:80 or [2001:db8::1]:80)"
        ) from None


def service_key(service: Identity) -> str:
    """The service's name."""
    if service.fwmark:
        return f"fwmark {service.fwmark}" + (" v6" if service.family == AF_INET6 else "")
    protocol = PROTOCOLS.get(service.protocol, f"protocol-{service.protocol}")
    return f"{protocol} {endpoint(service.family, service.address, service.port)}"


def parse_service(key: str) -> Identity:
    """The inverse of `service_key`; raises ValueError with what was expected."""
    kind, _, rest = key.partition(" ")
    mark, _, version = rest.partition(" ")
    if kind == "fwmark" and mark.isdecimal() and 0 < int(mark) < 1 << 32 and version in ("", "v6"):
        return Identity(AF_INET6 if version else AF_INET, 0, b"", 0, int(mark))
    if kind not in _NUMBERS:
        raise ValueError(f"{key!r} is not a virtual service (as tcp 192.0.2.80:80 or fwmark 7)")
    family, address, port = parse_endpoint(rest)
    return Identity(family, _NUMBERS[kind], address, port, 0)
