"""Which address everything in the lab has.

All are from the ranges that RFC 5737 keeps for documentation, so that nothing
in a lab can be mistaken for a machine that exists. Every lab has the same
ones: each lives in network namespaces of its own.
"""

CLIENT_NETWORK = "192.0.2"
SERVER_NETWORK = "198.51.100"

DIRECTOR_CLIENT_SIDE = f"{CLIENT_NETWORK}.1"
DIRECTOR_SERVER_SIDE = f"{SERVER_NETWORK}.1"
VIP = f"{CLIENT_NETWORK}.80"
CONTROL_PORT = 7070
PROBE_PORT = 7
"""The path is warmed on this port of the VIP, in a service of its own."""
FIRST_PORT = 80
"""Port of the first run's service. Later runs count up from it: a real server
that is removed keeps its counters for 120 s and would bring them back into a
service with the same address (ip_vs_ctl.c, ip_vs_trash_get_dest)."""

MAX_CLIENTS = 100
_FIRST_CLIENT = 101
_FIRST_SERVER = 11
_SERVER_ADDRESSES = 240


def client_address(number: int) -> str:
    """Source address of client `number`, counted from 1 to MAX_CLIENTS."""
    return f"{CLIENT_NETWORK}.{_FIRST_CLIENT + number - 1}"


def server_address(number: int) -> str:
    """address:port of real server `number`, counted from 1.

    The network has room for 240 addresses; beyond them the same addresses
    serve on the next port, which to IPVS is a real server of its own.
    """
    row, column = divmod(number - 1, _SERVER_ADDRESSES)
    return f"{SERVER_NETWORK}.{_FIRST_SERVER + column}:{FIRST_PORT + row}"


def server_hosts(count: int) -> list[str]:
    """The addresses, without ports, that `count` real servers need."""
    return [
        f"{SERVER_NETWORK}.{_FIRST_SERVER + column}"
        for column in range(min(count, _SERVER_ADDRESSES))
    ]
