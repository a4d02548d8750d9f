"""`ipvsload collect`, the sidecar: this machine's IPVS table as NDJSON on stdout.

It runs beside the kernel: in a director, in a pod, or at the other end of ssh.
Whoever started it reads its stdout, so it opens no port, and it needs nothing
but the standard library and pyroute2.
"""

import json
import socket
import sys
from collections.abc import Iterable

from ipvsload.ipvs.connections import CONNECTIONS, server_answer
from ipvsload.ipvs.keys import split_endpoint
from ipvsload.sidecar.balanced_services import BalancedServices
from ipvsload.sidecar.collector import collect_until_stopped
from ipvsload.sidecar.sampled_node import SampledNode
from ipvsload.sidecar.settings_watch import SettingsWatch

EXIT_UNAVAILABLE = 3


def _refused(why: str) -> Exception:
    from argparse import ArgumentTypeError

    return ArgumentTypeError(why)


def _hz(text: str) -> float:
    hz = float(text)
    if not 0.1 <= hz <= 50:
        raise _refused(f"{text} is not between 0.1 and 50")
    return hz


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise _refused(f"{text} is not 1 or more")
    return count


def main(argv: list[str] | None = None) -> int:
    """Run the sidecar over stdin and stdout; return the exit status (0 or 3).

    Status 3, with one line on stderr, where IPVS cannot be read.
    """
    import argparse  # here alone: a lab's sidecar is called without words

    parser = argparse.ArgumentParser(
        prog="ipvsload collect",
        description="Prints this machine's IPVS table, one JSON object a line.",
        epilog="On stdin: `ping ID` is answered at once with the clock; `connections"
        " ADDRESS:PORT` (or `:PORT`) tells each connection of that service once from then on,"
        " `connections` ends that; `end` ends.",
    )
    add = parser.add_argument
    add("--hz", type=_hz, default=10.0, help="samples a second, 0.1 to 50 (default: 10)")
    add("--count", type=_count, default=0, metavar="N", help="end after N samples")
    add("--node", default=socket.gethostname(), help="name of this machine in the first line")
    add("--connections", action="store_true",
        help="for each client on stdin (a line ADDRESS:PORT, behind one with the service's) tell"
        " the server of its connection, and end")  # fmt: skip
    add(
        "--nat",
        action="store_true",
        help="also services that iptables and nftables balance, as kube-proxy writes their rules",
    )
    options = parser.parse_args(argv)
    if options.connections:
        return tell_servers(sys.stdin)
    try:
        from ipvsload.ipvs.client import Ipvs
        from ipvsload.ipvs.netlink import IpvsError
    except ModuleNotFoundError as error:
        sys.stderr.write(f"ipvsload collect: {error}\n")
        return EXIT_UNAVAILABLE
    try:
        with Ipvs() as ipvs:
            watch = SettingsWatch(ipvs.timeouts)
            node = SampledNode(options.node, ipvs, watch, watch.anew, timeouts=ipvs.timeouts)
            if options.nat:
                table = BalancedServices(ipvs)
                watch = SettingsWatch(ipvs.timeouts, table.settings)
                node = SampledNode(
                    options.node,
                    table,
                    watch,
                    watch.anew,
                    by_rules=table.by_rules,
                    timeouts=ipvs.timeouts,
                )
            collect_until_stopped([node], hz=options.hz, count=options.count)
    except IpvsError as error:
        sys.stderr.write(f"ipvsload collect: {error}\n")
        return EXIT_UNAVAILABLE
    return 0


def tell_servers(asked: Iterable[str]) -> int:
    """Tell which server each connection was given to; returns the exit status."""
    try:
        endpoints = [split_endpoint(line.strip()) for line in asked]
        with open(CONNECTIONS) as file:
            answer = server_answer(file.read().splitlines(), *endpoints)
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"ipvsload collect: --connections: {error}\n")
        return EXIT_UNAVAILABLE
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
