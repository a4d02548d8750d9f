"""Which rows of the kernel's table are those of services that somebody asked for."""

from collections.abc import Sequence
from socket import ntohs

from ipvsload.ipvs.decode import Row
from ipvsload.ipvs.keys import Endpoint, host_of


def wanted(service: Row, endpoints: Sequence[Endpoint]) -> bool:
    """Whether a service's row is one of these; the address "" is any."""
    family, _, address, port, fwmark, *_ = service
    number = ntohs(port)
    hosts = [host for host, port in endpoints if port == number]
    return bool(hosts) and not fwmark and ("" in hosts or host_of(family, address) in hosts)
