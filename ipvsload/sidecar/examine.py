"""What a node's kernel has of what kube-proxy's IPVS mode needs, told as one line of JSON.

It only looks: at /proc/modules, and at the lists of modules that come with the
kernel in /lib/modules. What is neither loaded, nor built in, nor there as a
file needs another kernel. It tells virtual servers that kube-proxy may not have
made, as far as /proc does. Then it waits to be ended, because a DaemonSet starts
again what ends.
"""

import argparse
import json
import os
import signal
import sys

from ipvsload.ipvs.kernel_features import EXAMINED_MODULES
from ipvsload.ipvs.kernel_modules import MODULE_LISTS, module_states
from ipvsload.ipvs.keys import split_endpoint
from ipvsload.ipvs.procfs import TABLE, read_table
from ipvsload.sidecar.kernel_files import text_of
from ipvsload.sidecar.other_services import OtherServices
from ipvsload.sidecar.proxy_status import DEFAULT, ProxyStatus


def main(argv: list[str] | None = None) -> int:
    """Tells and waits; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ipvsload examine", description=__doc__)
    parser.add_argument("--node", default="")
    parser.add_argument("--proxy-status", type=split_endpoint, default=DEFAULT)
    options = parser.parse_args(argv)
    release = os.uname().release
    lists = (text_of(f"/lib/modules/{release}/{name}") for name in MODULE_LISTS)
    _, table = read_table(text_of(TABLE))
    found = {
        "examined": options.node,
        "kernel": release,
        "modules": module_states(EXAMINED_MODULES, text_of("/proc/modules"), *lists),
        "kube_ipvs0": os.path.exists("/sys/class/net/kube-ipvs0"),
        "table": os.path.exists(TABLE),
        "virtual_servers": len(table),
        "schedulers": sorted({service[5].rstrip(b"\0").decode() for service, _ in table}),
        **ProxyStatus(options.proxy_status)(),
        **OtherServices(netlink=False)(),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
