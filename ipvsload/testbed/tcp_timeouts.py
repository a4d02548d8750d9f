"""TCP retransmission timeouts in this network namespace.

A SYN or a request that is lost costs 0.2 s to a second, which must not pass
for the scheduler's doing; in the lab nothing else shares the namespace, so the
count is the run's. Segments that are sent again *without* a timeout (tail loss
probes, RFC 8985) are not counted: a busy machine makes some, and they cost
nothing.
"""

from pathlib import Path


def timeouts_here() -> int:
    """Those of this process's network namespace, whosever they are."""
    return timeouts(Path("/proc/net/netstat").read_text())


def timeouts(netstat: str) -> int:
    """TCPTimeouts until now, of the text of /proc/net/netstat (net/ipv4/tcp_timer.c)."""
    lines = netstat.splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(values[names.index("TCPTimeouts")])
