"""Puts this node's table right after a run, and tells how it stands.

It runs as a pod of its own, when a run or `ipvsload restore` asks for it: with
what is to be done in the file beside its code. Virtual servers that are to be
put back are added where they are not there; those of the run's own Services are
removed. Nothing else is changed. It looks again each second, since a kube-proxy
that starts may empty the table; then it waits to be ended, because a DaemonSet
starts again what ends.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, MutableMapping, Sequence
from socket import IPPROTO_TCP, ntohs

from ipvsload.ipvs.decode import InterruptedDumpError, Row
from ipvsload.ipvs.keys import Endpoint, Identity, host_of, service_key, split_endpoint
from ipvsload.ipvs.netlink import IpvsError, NotFoundError
from ipvsload.ipvs.saved_services import SavedService, from_json
from ipvsload.ipvs.service_keeper import MissingServersError, ServiceKeeper
from ipvsload.sidecar.node_addresses import node_addresses

FILE = "put_back.json"
_EVERY = 1.0


def of_the_run(endpoints: Sequence[Endpoint], node: frozenset[str]) -> Callable[[Row], bool]:
    """What tells a row of one of these TCP services; the address "" is any of the node's."""

    def found(row: Row) -> bool:
        family, protocol, address, port, fwmark, *_ = row
        if fwmark or protocol != IPPROTO_TCP:
            return False
        host, number = host_of(family, address), ntohs(port)
        return (host, number) in endpoints or (host in node and ("", number) in endpoints)

    return found


def put_right(
    services: Sequence[SavedService],
    endpoints: Sequence[Endpoint],
    missing: MutableMapping[str, str],
) -> tuple[bool, dict[str, str]]:
    """Put back and remove; (whether something was not as wanted, what went wrong by key).

    `missing` is handed in each time: why services that are there lack real servers,
    which the next look could not tell from what their owner wants.
    """
    changed, wrong = False, {}
    try:
        with ServiceKeeper() as keeper:
            for service in services:
                try:
                    if keeper.put_back(service):
                        changed = True
                        missing.pop(service.key, None)
                except MissingServersError as error:
                    changed = True
                    missing[service.key] = str(error)
                except (IpvsError, InterruptedDumpError) as error:
                    wrong[service.key] = str(error)
            if endpoints:
                changed = _remove(keeper, {one.key for one in services}, endpoints) or changed
    except (OSError, IpvsError, InterruptedDumpError) as error:  # no IPVS, or no right
        if services:
            wrong = {service.key: str(error) for service in services}
    return changed, {**missing, **wrong}


def _remove(keeper: ServiceKeeper, theirs: set[str], endpoints: Sequence[Endpoint]) -> bool:
    """Remove the run's own; whether there was one."""
    _, node = node_addresses()
    found = [
        service_key(Identity(*row[:5])) for row, _ in keeper.table(of_the_run(endpoints, node))
    ]
    doomed = [key for key in found if key not in theirs]
    for key in doomed:
        with contextlib.suppress(NotFoundError):  # kube-proxy was quicker
            keeper.delete_service(key)
    return bool(doomed)


def main(argv: list[str] | None = None) -> int:
    """Tells each second for how many seconds all has been as it should be."""
    parser = argparse.ArgumentParser(prog="ipvsload put-back", description=__doc__)
    parser.add_argument("--node", default="")
    options = parser.parse_args(argv)
    with open(os.path.join(os.path.dirname(sys.argv[0]), FILE)) as file:
        wanted = json.load(file)
    services = [from_json(one) for one in wanted["put_back"].get(options.node, [])]
    endpoints = [split_endpoint(one) for one in wanted["remove"]]
    held, missing = 0, dict[str, str]()
    while True:
        changed, wrong = put_right(services, endpoints, missing)
        held = 0 if changed else held + 1
        line = {"put_back": options.node, "held": held, "wrong": wrong}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        time.sleep(_EVERY)


if __name__ == "__main__":
    sys.exit(main())
