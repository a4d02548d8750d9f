"""TCP retransmission timeouts in this network namespace.

A SYN or a request that is lost costs 0.2 s to a second, and nobody must blame
the scheduler for that. In the lab nothing else uses the namespace, so the count
is the run's own. Segments that are sent again *without* a timeout (tail loss
probes, RFC 8985) are not counted: a busy machine sends some, and they cost
nothing.
"""

from pathlib import Path


def timeouts_here() -> int:
    """The timeouts of this process's network namespace, of all its connections."""
    return timeouts(Path("/proc/net/netstat").read_text())


def timeouts(netstat: str) -> int:
    """Read TCPTimeouts in the text of /proc/net/netstat (net/ipv4/tcp_timer.c counts them)."""
    lines = netstat.splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(values[names.index("TCPTimeouts")])
