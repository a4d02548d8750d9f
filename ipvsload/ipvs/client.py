"""The IPVS table over netlink: read as a whole, changed entry by entry.

The sidecar reads it; the lab's agent in the director changes it.
"""

import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

from ipvsload.ipvs import netlink
from ipvsload.ipvs.decode import ATTRIBUTES, SERVER, SERVICE, Decoder, Row, TableRows, attributes
from ipvsload.ipvs.forwarding import FORWARDINGS, MASQUERADING
from ipvsload.ipvs.keys import Identity, parse_endpoint, parse_service
from ipvsload.ipvs.schedulers import PERSISTENT, module_of

_MAX_REQUESTS = 10_000
_TIMEOUTS = {4: "tcp", 5: "tcp_fin", 6: "udp"}  # IPVS_CMD_ATTR_TIMEOUT_*


class Ipvs:
    """The table of this network namespace; `version` is the kernel's, as "1.2.1".

    Keys and addresses are texts as keys.py describes them. Not for two threads
    at once. Raises netlink.UnavailableError where there is no IPVS, or no right
    to use it.
    """

    def __init__(self) -> None:
        self._socket = netlink.IpvsSocket()
        self._services = Decoder(SERVICE)
        self._servers = Decoder(SERVER)
        self._requests: dict[Row, bytearray] = {}
        try:
            self._list = self._socket.dump_request(netlink.GET_SERVICE, [])
            # This also tells whether we may read at all.
            answer = self._socket.call(netlink.GET_INFO, [], answered=True)
        except OSError as error:
            self.close()
            raise netlink.explain(error, "asking for the version of IPVS") from None
        number = struct.unpack_from("=I", answer, 24)[0]  # IPVS_INFO_ATTR_VERSION
        self.version = f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def table(self, wanted: Callable[[Row], bool] | None = None) -> TableRows:
        """Read the services for whose rows `wanted` is true (or all), with their servers.

        Rows are as decode.SERVICE and decode.SERVER say. A service that is
        removed during the reading is left out. Raises InterruptedDumpError
        where the table kept changing (try again), and IpvsError.
        """
        table = []
        for _, services in self._socket.dump(self._list, self._services):
            for service in services:
                if wanted is not None and not wanted(service):
                    continue
                identity = service[:5]
                request = self._requests.get(identity) or self._request(identity)
                batches = self._socket.dump(request, self._servers)
                # The dump of a service that has gone is empty (ip_vs_genl_dump_dests).
                if batches or self._exists(Identity(*identity)):
                    table.append((service, batches))
        return table

    def _request(self, identity: Row) -> bytearray:
        if len(self._requests) >= _MAX_REQUESTS:  # services come and go
            self._requests.clear()
        request = self._socket.dump_request(netlink.GET_DEST, [_service(Identity(*identity))])
        self._requests[identity] = request
        return request

    def _exists(self, service: Identity) -> bool:
        try:
            self._get(service, "looking up a service")
        except netlink.NotFoundError:
            return False
        return True

    def _get(self, service: Identity, doing: str) -> bytes:
        return self._call(netlink.GET_SERVICE, [_service(service)], doing, answered=True)

    def timeouts(self) -> dict[str, int]:
        """Seconds that a silent connection is remembered: "tcp", "tcp_fin" and "udp".

        A kernel without one of the protocols does not say its own
        (ip_vs_ctl.c, ip_vs_genl_get_cmd). Raises IpvsError.
        """
        answer = self._call(netlink.GET_CONFIG, [], "asking for IPVS's timeouts", answered=True)
        return {
            name: int.from_bytes(answer[at : at + size], sys.byteorder)
            for (number,), at, size in attributes(answer, ATTRIBUTES, len(answer), frozenset())
            if (name := _TIMEOUTS.get(number))
        }

    def set_timeouts(self, seconds: Mapping[str, int]) -> None:
        """Set some of the `timeouts`; the others stay (ip_vs_ctl.c, ip_vs_set_timeout).

        Raises IpvsError.
        """
        values = [[f"TIMEOUT_{name.upper()}", value] for name, value in seconds.items()]
        self._call(netlink.SET_CONFIG, values, "setting IPVS's timeouts")

    def add_service(
        self,
        key: str,
        scheduler: str,
        *,
        flags: int = 0,
        persistent_timeout: int = 0,
        netmask: int | None = None,
    ) -> None:
        """Add a virtual service; persistent where `persistent_timeout` (seconds) is not 0.

        Then `netmask` is how many bits of a client's address count; None is all.
        Raises ExistsError, SchedulerError.
        """
        if persistent_timeout:
            flags |= PERSISTENT
        ipv6 = parse_service(key).family == socket.AF_INET6
        properties = [
            ["FLAGS", struct.pack("=II", flags, 0xFFFFFFFF)],
            ["TIMEOUT", persistent_timeout],
            ["NETMASK", _netmask(netmask, ipv6)],
        ]
        self._write(netlink.NEW_SERVICE, f"adding {key}", key, scheduler, properties)

    def netmask(self, key: str) -> int:
        """How many bits of a client's address count for the service's persistence.

        Raises NotFoundError.
        """
        service = parse_service(key)
        message = netlink.Message(self._get(service, f"looking up {key}"))
        message.decode()
        value: int = dict(message.get_attr("SERVICE")["attrs"])["NETMASK"]
        return value if service.family == socket.AF_INET6 else value.bit_count()

    def missing_schedulers(self, key: str, names: list[str]) -> list[str]:
        """Those of the schedulers that this kernel does not have.

        Each is tried with a virtual service `key`, which nobody else may use and
        which is removed at once. Raises ExistsError and what adding a service raises.
        """
        missing = []
        for name in names:
            try:
                self.add_service(key, name)
            except netlink.SchedulerError:
                missing.append(name)
            else:
                self.delete_service(key)
        return missing

    def set_scheduler(self, key: str, scheduler: str) -> None:
        """Change the scheduler in place and nothing else (ip_vs_ctl.c, ip_vs_edit_service).

        Raises NotFoundError, SchedulerError.
        """
        doing = f"changing the scheduler of {key}"
        message = netlink.Message(self._get(parse_service(key), doing))
        message.decode()
        now = dict(message.get_attr("SERVICE")["attrs"])
        kept = [[k, now[k]] for k in ("FLAGS", "TIMEOUT", "NETMASK", "PE_NAME") if k in now]
        self._write(netlink.SET_SERVICE, doing, key, scheduler, kept)

    def _write(
        self, command: int, doing: str, key: str, scheduler: str, properties: list[Any]
    ) -> None:
        service = _service(parse_service(key), ["SCHED_NAME", scheduler], *properties)
        try:
            self._socket.call(command, [service])
        except FileNotFoundError:
            module = module_of(scheduler)
            raise netlink.SchedulerError(
                f"{doing}: this kernel has no scheduler {scheduler}; its module is "
                f"{module} (as root: modprobe {module})"
            ) from None
        except OSError as error:
            raise netlink.explain(error, doing) from None

    def delete_service(self, key: str) -> None:
        """Remove the service and its servers. Raises NotFoundError."""
        self._call(netlink.DEL_SERVICE, [_service(parse_service(key))], f"deleting {key}")

    def add_server(
        self, key: str, address: str, weight: int, forwarding: str = MASQUERADING
    ) -> None:
        """Add the real server `address` ("198.51.100.11:80"); `forwarding` is one of FORWARDINGS.

        With another one than masquerading the kernel leaves the port as it is, so
        the server's must be the service's. Raises ExistsError; NotFoundError where
        the service is not there.
        """
        server = _server(address, weight, forwarding)
        self._change(netlink.NEW_DEST, f"adding {address} to {key}", key, server)

    def set_weight(
        self, key: str, address: str, weight: int, forwarding: str = MASQUERADING
    ) -> None:
        """Change a weight in place; 0 takes no new connections. Raises NotFoundError.

        `forwarding` is the server's own: the kernel sets it anew (ip_vs_ctl.c,
        __ip_vs_update_dest).
        """
        server = _server(address, weight, forwarding)
        self._change(netlink.SET_DEST, f"changing the weight of {address} in {key}", key, server)

    def delete_server(self, key: str, address: str) -> None:
        """Remove the real server. Raises NotFoundError."""
        self._change(netlink.DEL_DEST, f"removing {address} from {key}", key, _server(address))

    def _change(self, command: int, doing: str, key: str, server: list[Any]) -> None:
        self._call(command, [_service(parse_service(key)), server], doing)

    def _call(
        self, command: int, attributes: list[Any], doing: str, *, answered: bool = False
    ) -> bytes:
        try:
            return self._socket.call(command, attributes, answered=answered)
        except OSError as error:
            raise netlink.explain(error, doing) from None


def _service(service: Identity, *more: Any) -> list[Any]:
    if service.fwmark:
        attributes: list[Any] = [["AF", service.family], ["FWMARK", service.fwmark]]
    else:
        attributes = [
            ["AF", service.family],
            ["PROTOCOL", service.protocol],
            ["ADDR", service.address],
            ["PORT", service.port],
        ]
    return ["SERVICE", {"attrs": [*attributes, *more]}]


def _server(address: str, weight: int | None = None, forwarding: str = MASQUERADING) -> list[Any]:
    family, raw, port = parse_endpoint(address)
    attributes: list[Any] = [["ADDR", raw], ["PORT", port], ["ADDR_FAMILY", family]]
    if weight is not None:
        attributes += [
            ["FWD_METHOD", FORWARDINGS[forwarding].number],
            ["WEIGHT", weight],
            ["U_THRESH", 0],
            ["L_THRESH", 0],
        ]
    return ["DEST", {"attrs": attributes}]


def _netmask(bits: int | None, ipv6: bool) -> int:
    """A netmask as the kernel takes it: a prefix's length, or the mask in network order."""
    if ipv6:
        return 128 if bits is None else bits
    raw = (0xFFFFFFFF << (32 - (32 if bits is None else bits)) & 0xFFFFFFFF).to_bytes(4, "big")
    return int.from_bytes(raw, sys.byteorder)
