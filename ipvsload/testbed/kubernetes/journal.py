"""What a run changes in a cluster, written down there before it is changed.

One ConfigMap in our namespace is both the journal and the lock: whoever creates
it has the cluster, and anybody who finds it, on any machine, can put the
cluster back. Reading and writing its text is pure; taking and writing it in the
cluster is one request each.
"""

import getpass
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from ipvsload.errors import TestbedError
from ipvsload.ipvs.saved_services import SavedService, from_json
from ipvsload.testbed.kubernetes.api import Api, ApiError
from ipvsload.testbed.kubernetes.manifests import config_map
from ipvsload.testbed.kubernetes.object_names import JOURNAL, NAMESPACE
from ipvsload.testbed.kubernetes.process_identity import identify
from ipvsload.testbed.kubernetes.proxy_daemon_set import KUBEADM, ConfigPlace

_VERSION, _WITH_KEPT = "1", "2"
"""A program that does not know of virtual servers that are kept must not drop them."""
_MOST_BYTES = 600_000
"""A ConfigMap takes 1 MiB, with kube-proxy's configuration, and with the code that puts back."""


class ActiveError(TestbedError):
    """Somebody else's run has the cluster."""


@dataclass(frozen=True, slots=True)
class Journal:
    """`original` is kube-proxy's configuration as it was, at `place`.

    It is None while that is not touched. `switches` are each (mode, scheduler)
    that was, or may have been, written since. `started_s` is unix time.

    `process` tells the process from a later one of the same number; "" is not
    known. `kept` are virtual servers that kube-proxy may delete, by node, and
    `services` the endpoints of our own Services ("" is any node's address), which
    kube-proxy may leave in the kernels. `image` has the Python of the pods that
    put that right, unless they may not write.
    """

    id: str
    user: str
    host: str
    pid: int
    started_s: int
    original: str | None = None
    switches: tuple[tuple[str, str], ...] = ()
    place: ConfigPlace = KUBEADM
    process: str = ""
    kept: Mapping[str, tuple[SavedService, ...]] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    image: str = ""
    writes: bool = True

    def owner(self, now_s: float) -> str:
        """Say who it is, where and since when."""
        age = max(0, int(now_s) - self.started_s)
        span = f"{age} s" if age < 120 else f"{age // 60} min" if age < 7200 else f"{age // 3600} h"
        return f"{self.user}@{self.host} (process {self.pid}), begun {span} ago"

    def data(self) -> dict[str, str]:
        """The ConfigMap's data."""
        found = {
            "version": _WITH_KEPT if self.kept else _VERSION,
            "id": self.id,
            "user": self.user,
            "host": self.host,
            "pid": str(self.pid),
            "started": str(self.started_s),
            "switches": json.dumps(self.switches),
            "config_map": self.place.name,
            "config_key": self.place.key,
            "process": self.process,
            "services": json.dumps(self.services),
            "image": self.image,
            "writes": "yes" if self.writes else "no",
        }
        if self.kept:
            kept = {node: [one.to_json() for one in some] for node, some in self.kept.items()}
            found["kept"] = json.dumps(kept)
        return found if self.original is None else {**found, "original": self.original}


def parse(data: dict[str, str]) -> Journal:
    """Read a ConfigMap's data. Raises TestbedError for what this version cannot read."""
    try:
        if data["version"] not in (_VERSION, _WITH_KEPT):
            raise TestbedError(
                f"the journal in the cluster has version {data['version']}, this program reads"
                f" {_VERSION} and {_WITH_KEPT}: use the ipvsload that wrote it"
            )
        kept = json.loads(data.get("kept", "{}"))
        return Journal(
            data["id"], data["user"], data["host"], int(data["pid"]), int(data["started"]),
            data.get("original"), tuple((mode, s) for mode, s in json.loads(data["switches"])),
            ConfigPlace(
                data.get("config_map", KUBEADM.name), data.get("config_key", KUBEADM.key)
            ),
            data.get("process", ""),
            {node: tuple(map(from_json, some)) for node, some in kept.items()},
            tuple(json.loads(data.get("services", "[]"))),
            data.get("image", ""),
            data.get("writes") != "no",
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError):
        raise TestbedError(
            f"ConfigMap {JOURNAL} in namespace {NAMESPACE} is not a journal of ipvsload; look at"
            f" it with: kubectl -n {NAMESPACE} get configmap {JOURNAL} -o yaml"
        ) from None


def new_journal(image: str = "", *, writes: bool = True) -> Journal:
    """Make this process's journal, with nothing changed yet.

    `image` has the Python of pods on the nodes; `writes` says whether they may
    change the nodes' tables.
    """
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    pid = os.getpid()
    return Journal(
        uuid4().hex, user, socket.gethostname(), pid, int(time.time()),
        process=identify(pid), image=image, writes=writes,
    )  # fmt: skip


def take_cluster(api: Api, journal: Journal) -> None:
    """Take the cluster. Raises ActiveError with the owner where somebody has it already."""
    try:
        found = api.create("configmaps", config_map(JOURNAL, data=journal.data()), NAMESPACE)
    except ApiError as error:
        if error.status != 409:
            raise
        holder = find_journal(api)
        if holder is None:  # the other run ended at this moment
            raise ActiveError("another run has just ended here; try again") from None
        raise ActiveError(_refusal(holder)) from None
    if found["data"].get("id") != journal.id:  # our answer was lost, and theirs is there
        raise ActiveError(_refusal(parse(found["data"])))


def find_journal(api: Api) -> Journal | None:
    """Read the journal that is in the cluster; None if there is none."""
    found = api.find("configmaps", JOURNAL, NAMESPACE)
    return None if found is None else parse(found.get("data") or {})


def write_journal(api: Api, journal: Journal) -> None:
    """Write the journal; call this before the change that it tells of."""
    api.patch("configmaps", JOURNAL, {"data": journal.data()}, NAMESPACE)


def with_switch(
    journal: Journal, place: ConfigPlace, original: str, mode: str, scheduler: str
) -> Journal:
    """Add a switch that is about to be made; the first one keeps the original."""
    switches = dict.fromkeys((*journal.switches, (mode, scheduler)))
    kept = original if journal.original is None else journal.original
    return replace(journal, original=kept, switches=tuple(switches), place=place)


def with_kept(journal: Journal, found: Mapping[str, Sequence[SavedService]]) -> Journal:
    """Add virtual servers that are about to be deleted; what was kept before stays.

    Raises TestbedError where they are too many for a ConfigMap.
    """
    kept = {
        node: tuple(
            {one.key: one for one in (*journal.kept.get(node, ()), *found.get(node, ()))}.values()
        )
        for node in dict.fromkeys((*journal.kept, *found))
    }
    made = replace(journal, kept=kept)
    if len(made.data().get("kept", "")) > _MOST_BYTES:
        raise TestbedError(
            "the virtual servers that kube-proxy would delete are too many to be kept in the"
            " cluster's journal"
        )
    return made


def _refusal(holder: Journal) -> str:
    return (
        f"a run is active in this cluster: {holder.owner(time.time())}. Wait for it; if it is"
        " gone, put the cluster back first: ipvsload restore"
    )
