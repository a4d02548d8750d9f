"""Puts virtual servers back into this node's kernel, and tells how it stands.

It runs as a pod of its own, when a run or `ipvsload restore` asks for it: with
what is to be put back in the file beside its code, by the node's name. Nothing
that is there is changed. It looks again each second, since a kube-proxy that
starts may empty the table; then it waits to be ended, because a DaemonSet
starts again what ends.
"""

import argparse
import json
import os
import sys
import time

from ipvsload.ipvs.decode import InterruptedDumpError
from ipvsload.ipvs.netlink import IpvsError
from ipvsload.ipvs.saved_services import SavedService, from_json
from ipvsload.ipvs.service_keeper import ServiceKeeper

FILE = "put_back.json"
_EVERY = 1.0


def put_back(services: list[SavedService]) -> tuple[bool, dict[str, str]]:
    """Put back what is not there; (whether something was not, what went wrong by key)."""
    added, wrong = False, {}
    try:
        with ServiceKeeper() as keeper:
            for service in services:
                try:
                    added = keeper.put_back(service) or added
                except (IpvsError, InterruptedDumpError) as error:
                    wrong[service.key] = str(error)
    except IpvsError as error:  # no IPVS, or no right
        wrong = {service.key: str(error) for service in services}
    return added, wrong


def main(argv: list[str] | None = None) -> int:
    """Tells each second for how many seconds all has been as it should be."""
    parser = argparse.ArgumentParser(prog="ipvsload put-back", description=__doc__)
    parser.add_argument("--node", default="")
    options = parser.parse_args(argv)
    with open(os.path.join(os.path.dirname(sys.argv[0]), FILE)) as file:
        wanted = json.load(file).get(options.node, [])
    services = [from_json(one) for one in wanted]
    held = 0
    while True:
        added, wrong = put_back(services)
        held = 0 if added else held + 1
        line = {"put_back": options.node, "held": held, "wrong": wrong}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        time.sleep(_EVERY)


if __name__ == "__main__":
    sys.exit(main())
