"""What a node's kernel has of what kube-proxy's IPVS mode needs, told as one line of JSON.

It only looks: at /proc/modules, and at the lists of modules that come with the
kernel in /lib/modules. What is neither loaded, nor built in, nor there as a
file needs another kernel. Then it waits to be ended, because a DaemonSet starts
again what ends.
"""

import argparse
import json
import os
import signal
import sys

from ipvsload.ipvs.kernel_features import EXAMINED_MODULES
from ipvsload.ipvs.kernel_modules import MODULE_LISTS, module_states
from ipvsload.ipvs.procfs import TABLE
from ipvsload.sidecar.pod import proxy_mode


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def main(argv: list[str] | None = None) -> int:
    """Tells and waits; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ipvsload examine", description=__doc__)
    parser.add_argument("--node", default="")
    options = parser.parse_args(argv)
    release = os.uname().release
    lists = (_text(f"/lib/modules/{release}/{name}") for name in MODULE_LISTS)
    found = {
        "examined": options.node,
        "kernel": release,
        "modules": module_states(EXAMINED_MODULES, _text("/proc/modules"), *lists),
        "kube_ipvs0": os.path.exists("/sys/class/net/kube-ipvs0"),
        "table": os.path.exists(TABLE),
        "proxy_mode": proxy_mode(),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
