"""How virtual services and real servers are named, because people and files compare text.

A virtual service is "tcp 192.0.2.80:80", "udp [2001:db8::1]:53", "sctp ...",
"fwmark 7" or "fwmark 7 v6"; a real server is "198.51.100.11:80". Such texts are
made and taken apart here only. The kernel has 16 bytes of address for either
family, and the port in network order.
"""

from socket import AF_INET, AF_INET6, htons, inet_ntop, inet_pton, ntohs
from typing import NamedTuple

PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp", 50: "esp", 51: "ah"}
_NUMBERS = {name: number for number, name in PROTOCOLS.items()}
_FWMARK = "fwmark"

Endpoint = tuple[str, int]
"""An address or host name without brackets, and a port in host order."""


def join_endpoint(host: str, port: int) -> str:
    """Write an address and a port as "192.0.2.1:80" or "[2001:db8::1]:80"."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_endpoint(text: str) -> Endpoint:
    """The inverse of `join_endpoint`; the host may be empty, and is not looked at.

    Raises ValueError, with what was expected.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    number = int(port) if port.isdecimal() else -1
    if not colon or (":" in bare) == (bare == host) or not 0 <= number <= 65535:
        raise ValueError(f"{text!r} is not ADDRESS:PORT (as 192.0.2.1:80 or [2001:db8::1]:80)")
    return bare, number


class KeyParts(NamedTuple):
    """A service's key, taken apart.

    `protocol` is "tcp", "udp", ..., or "fwmark"; `target` is an endpoint, or
    the mark. `ipv6` is set for a mark's IPv6 half.
    """

    protocol: str
    target: str
    ipv6: bool = False

    @property
    def port(self) -> int | None:
        """None where the service has no port of its own."""
        _, colon, port = self.target.rpartition(":")
        return int(port) if colon and port.isdecimal() else None


def join_key(host: str, port: int, protocol: str = "tcp") -> str:
    """The key of the service at this address."""
    return f"{protocol} {join_endpoint(host, port)}"


def split_key(key: str) -> KeyParts:
    """The parts of a key; none of them is looked at."""
    protocol, _, rest = key.partition(" ")
    target, _, version = rest.partition(" ")
    return KeyParts(protocol, target, version == "v6")


class Identity(NamedTuple):
    """What tells one virtual service from another; port as the kernel has it (network order)."""

    family: int
    protocol: int
    address: bytes
    port: int
    fwmark: int


def host_of(family: int, address: bytes) -> str:
    """The text of the kernel's bytes of an address."""
    return inet_ntop(family, address[: 16 if family == AF_INET6 else 4])


def endpoint(family: int, address: bytes, port: int) -> str:
    """`join_endpoint` of the kernel's bytes of an address and its network-order port."""
    return join_endpoint(host_of(family, address), ntohs(port))


def parse_endpoint(text: str) -> tuple[int, bytes, int]:
    """The inverse of `endpoint`: (family, 16 bytes of address, network-order port).

    Raises ValueError, with what was expected.
    """
    host, port = split_endpoint(text)
    family = AF_INET6 if ":" in host else AF_INET
    try:
        return family, inet_pton(family, host).ljust(16, b"\0"), htons(port)
    except OSError:
        raise ValueError(f"{host!r} in {text!r} is not an address") from None


def service_key(service: Identity) -> str:
    """The service's name."""
    if service.fwmark:
        return f"{_FWMARK} {service.fwmark}" + (" v6" if service.family == AF_INET6 else "")
    protocol = PROTOCOLS.get(service.protocol, f"protocol-{service.protocol}")
    return f"{protocol} {endpoint(service.family, service.address, service.port)}"


def parse_service(key: str) -> Identity:
    """The inverse of `service_key`; raises ValueError with what was expected."""
    protocol, mark, ipv6 = split_key(key)
    if protocol in _NUMBERS:
        family, address, port = parse_endpoint(key.removeprefix(f"{protocol} "))
        return Identity(family, _NUMBERS[protocol], address, port, 0)
    number = int(mark) if mark.isdecimal() else 0
    if key.removesuffix(" v6") == f"{_FWMARK} {mark}" and 0 < number < 1 << 32:
        return Identity(AF_INET6 if ipv6 else AF_INET, 0, b"", 0, number)
    raise ValueError(f"{key!r} is not a virtual service (as tcp 192.0.2.80:80 or fwmark 7)")
