"""Which real server the kernel chose for a connection: /proc/net/ip_vs_conn.

An answer names its server, a refusal or a reset does not. The kernel remembers
a connection that was reset for 10 s and others for longer, with client address
and port (net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_seq_show). Pure; runs in
the director.
"""

from collections.abc import Iterable
from socket import inet_aton


def chosen_servers(
    lines: Iterable[str], vip: str, port: int, clients: Iterable[tuple[str, int]]
) -> list[str | None]:
    """For each client address and port the server's address:port, None if forgotten.

    `lines` are the file's: protocol, then address and port of client, virtual
    service and real server in hexadecimal, then the state.
    """
    found: dict[tuple[str, str], str | None] = {
        (_hex(address), f"{number:04X}"): None for address, number in clients
    }
    service = [_hex(vip), f"{port:04X}"]
    for line in lines:
        words = line.split()
        if words[3:5] == service and (words[1], words[2]) in found:
            address = ".".join(str(byte) for byte in bytes.fromhex(words[5]))
            found[words[1], words[2]] = f"{address}:{int(words[6], 16)}"
    return list(found.values())


def _hex(address: str) -> str:
    return inet_aton(address).hex().upper()
