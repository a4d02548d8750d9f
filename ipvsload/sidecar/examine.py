"""What a node's kernel has of what kube-proxy's IPVS mode needs, told as one line of JSON.

Only looks: at /proc/modules, and at the lists of modules that come with the
kernel in /lib/modules. What is neither loaded, nor built in, nor there as a
file cannot be had without another kernel. Then it waits to be ended, because a
DaemonSet starts again what ends.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.sidecar.pod import proxy_mode

# pkg/proxy/ipvs: ipset types in ipset.go, the rest in README.md and proxier.go.
NEEDED = (
    "ip_vs", "nf_conntrack", "dummy", "xt_set", "xt_comment", "xt_mark", "xt_addrtype",
    "xt_conntrack", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet",
    "ip_set_bitmap_port",
)  # fmt: skip
MODULES = (*NEEDED, *(scheduler.module for scheduler in SCHEDULERS.values()))


def states(names: Iterable[str], loaded: str, builtin: str, files: str) -> dict[str, str]:
    """By module: "loaded", "built in", "loadable", or "absent"; "unknown" without the lists.

    `loaded` is the text of /proc/modules, `builtin` of modules.builtin and
    `files` of modules.dep. Pure.
    """
    now = {line.split()[0] for line in loaded.splitlines() if line.strip()}
    inside, there = _names(builtin), _names(files)
    found = {}
    for name in names:
        if name in now:
            found[name] = "loaded"
        elif name in inside:
            found[name] = "built in"
        elif name in there:
            found[name] = "loadable"
        else:
            found[name] = "absent" if inside or there else "unknown"
    return found


def _names(text: str) -> set[str]:
    """Modules by name: "kernel/net/netfilter/ipvs/ip_vs.ko.xz: ..." is ip_vs."""
    paths = (line.partition(":")[0].strip() for line in text.splitlines())
    return {path.rpartition("/")[2].partition(".ko")[0].replace("-", "_") for path in paths if path}


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
    lists = f"/lib/modules/{release}"
    found = {
        "examined": options.node,
        "kernel": release,
        "modules": states(
            MODULES,
            _text("/proc/modules"),
            _text(f"{lists}/modules.builtin"),
            _text(f"{lists}/modules.dep"),
        ),
        "kube_ipvs0": os.path.exists("/sys/class/net/kube-ipvs0"),
        "table": os.path.exists("/proc/net/ip_vs"),
        "proxy_mode": proxy_mode(),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
