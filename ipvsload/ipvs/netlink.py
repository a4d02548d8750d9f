"""The IPVS family of generic netlink: a socket, its messages, and what errors mean.

The messages are pyroute2's; the socket is a plain one (netlink_socket.py).
"""

import errno
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from ipvsload.ipvs.decode import Batch, DecodeError, Decoder
from ipvsload.ipvs.netlink_socket import ACK, DUMP, REQUEST, NetlinkSocket

if TYPE_CHECKING:
    from pyroute2 import netlink


def _import_netlink() -> Any:
    """Import pyroute2.netlink without the rest of pyroute2.

    `import pyroute2` loads every protocol that it knows, and sqlite and psutil:
    1.3 s in user-mode Linux, where this takes 0.3 s, the interpreter's start
    included. So an empty package takes its place during this import.
    """
    name = "pyroute2"
    stand_in = name not in sys.modules
    if stand_in:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(
                "no pyroute2 here: python3 -m pip install 'pyroute2>=0.9.4,<0.10'"
            )
        sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{name}.netlink")
    finally:
        if stand_in:
            del sys.modules[name]


if not TYPE_CHECKING:
    netlink = _import_netlink()

NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE = 1, 2, 3, 4
NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = 5, 6, 7, 8
SET_CONFIG, GET_CONFIG, GET_INFO = 12, 13, 15


class Message(netlink.genlmsg):
    """An IPVS request (include/uapi/linux/ip_vs.h); addresses as the kernel's 16 bytes."""

    nla_map = (
        ("UNSPEC", "none"), ("SERVICE", "service"), ("DEST", "dest"), ("DAEMON", "none"),
        ("TIMEOUT_TCP", "uint32"), ("TIMEOUT_TCP_FIN", "uint32"), ("TIMEOUT_UDP", "uint32"),
    )  # fmt: skip

    class service(netlink.nla):  # noqa: N801
        """The attributes IPVS_SVC_ATTR_*."""

        nla_map = (
            ("UNSPEC", "none"), ("AF", "uint16"), ("PROTOCOL", "uint16"), ("ADDR", "cdata"),
            ("PORT", "uint16"), ("FWMARK", "uint32"), ("SCHED_NAME", "asciiz"),
            ("FLAGS", "cdata"), ("TIMEOUT", "uint32"), ("NETMASK", "uint32"),
            ("STATS", "none"), ("PE_NAME", "asciiz"), ("STATS64", "none"),
        )  # fmt: skip

    class dest(netlink.nla):  # noqa: N801
        """The attributes IPVS_DEST_ATTR_*."""

        nla_map = (
            ("UNSPEC", "none"), ("ADDR", "cdata"), ("PORT", "uint16"), ("FWD_METHOD", "uint32"),
            ("WEIGHT", "uint32"), ("U_THRESH", "uint32"), ("L_THRESH", "uint32"),
            ("ACTIVE_CONNS", "none"), ("INACT_CONNS", "none"), ("PERSIST_CONNS", "none"),
            ("STATS", "none"), ("ADDR_FAMILY", "uint16"), ("STATS64", "none"),
            ("TUN_TYPE", "uint8"), ("TUN_PORT", "uint16"), ("TUN_FLAGS", "uint16"),
        )  # fmt: skip


class IpvsError(Exception):
    """The kernel did not do what it was asked to; the message says what and why."""


class UnavailableError(IpvsError):
    """There is no IPVS here, or no right to use it; the message says how to mend that."""


class ExistsError(IpvsError):
    """The service or the real server to be added is there already."""


class NotFoundError(IpvsError):
    """The service or the real server is not in the table."""


class SchedulerError(IpvsError):
    """The kernel does not have the scheduler, or not its module."""


class IpvsSocket(NetlinkSocket):
    """One netlink socket to the IPVS of this network namespace.

    Raises UnavailableError where there is no IPVS. Not for two threads at once.
    """

    def __init__(self) -> None:
        doing = "looking for IPVS in the kernel"
        try:
            super().__init__(netlink.NETLINK_GENERIC)
        except OSError as error:
            raise explain(error, doing) from None
        try:
            self._family = self._discover()
        except OSError as error:
            self.close()
            raise explain(error, doing) from None
        except BaseException:
            self.close()
            raise

    def dump_request(self, command: int, attributes: list[Any]) -> bytearray:
        """Encode a request for `dump`; it can be used any number of times."""
        return self._encode(command, attributes, REQUEST | DUMP)

    def dump(self, request: bytearray, decoder: Decoder) -> list[Batch]:
        """As any netlink socket does it, but for the errors: raises IpvsError."""
        try:
            return super().dump(request, decoder)
        except DecodeError as error:
            raise IpvsError(f"listing the IPVS table: {error}") from error
        except OSError as error:
            raise explain(error, "listing the IPVS table") from None

    def call(self, command: int, attributes: list[Any], *, answered: bool = False) -> bytes:
        """Send one request; return its answer, or b"" for a mere acknowledgement.

        Raises OSError with the number that the kernel answered.
        """
        flags = REQUEST if answered else REQUEST | ACK
        return self.ask(self._encode(command, attributes, flags))

    def _encode(self, command: int, attributes: list[Any], flags: int) -> bytearray:
        message = Message()
        message["cmd"], message["version"] = command, 1
        message["attrs"] = attributes
        message["header"]["type"], message["header"]["flags"] = self._family, flags
        message.encode()
        return bytearray(message.data)

    def _discover(self) -> int:
        """The number of the family "IPVS" (ctrl_getfamily, net/netlink/genetlink.c)."""
        message = netlink.ctrlmsg()
        message["cmd"], message["version"] = netlink.CTRL_CMD_GETFAMILY, 1
        message["attrs"] = [["CTRL_ATTR_FAMILY_NAME", "IPVS"]]
        message["header"]["type"], message["header"]["flags"] = netlink.GENL_ID_CTRL, REQUEST
        message.encode()
        try:
            answer = netlink.ctrlmsg(self.ask(bytearray(message.data)))
        except FileNotFoundError:
            raise UnavailableError(
                "this kernel has no IPVS loaded: as root on the machine itself, `modprobe ip_vs` "
                "(where there is no such module, a kernel built with CONFIG_IP_VS is needed)"
            ) from None
        answer.decode()
        return int(answer.get_attr("CTRL_ATTR_FAMILY_ID"))


def explain(error: OSError, doing: str) -> IpvsError:
    """Turn an error of the kernel into one that a person can read; `doing` is what failed."""
    if error.errno == errno.EEXIST:
        return ExistsError(f"{doing}: it is in the table already")
    if error.errno == errno.ESRCH:
        return NotFoundError(f"{doing}: there is no such virtual service")
    if error.errno == errno.ENOENT:
        return NotFoundError(f"{doing}: the service has no such real server")
    if error.errno in (errno.EPERM, errno.EACCES):
        return UnavailableError(_permission_message())
    if error.errno == errno.EAGAIN:
        return IpvsError(f"{doing}: the kernel did not answer within 5 s")
    return IpvsError(f"{doing}: {error.strerror}")


def _permission_message() -> str:
    """Why the kernel refuses: all IPVS commands are GENL_ADMIN_PERM (ip_vs_ctl.c), also reads."""
    try:
        with open("/proc/self/uid_map") as file:
            initial = file.read().split() == ["0", "0", "4294967295"]
    except OSError:
        initial = True
    if initial:
        return (
            "the IPVS table is open to CAP_NET_ADMIN only, also for reading: "
            "run as root (sudo), or give the container the capability NET_ADMIN and uid 0"
        )
    return (
        "the IPVS table is open only to CAP_NET_ADMIN in the initial user namespace, also for "
        "reading, and this process is in another user namespace, where root does not count: "
        "run as root outside of it (no rootless container, no `unshare --user`)"
    )
