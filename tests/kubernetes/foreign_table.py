"""Virtual servers of others in a simulated node's kernel: a file beside the table's.

As a program it takes the place of the pod that puts them back
(ipvsload/sidecar/put_back.py, which tests/sidecar tries against a real kernel).
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvsload.ipvs.saved_services import SavedServer, SavedService, from_json

THEIRS = SavedService(
    "tcp 203.0.113.9:6443",
    "wlc",
    1,
    600,
    0xFFFFFFFF,
    servers=(
        SavedServer("198.51.100.21:6443", 0, 7),
        SavedServer("198.51.100.22:6443", 3, 0, 100, 50),
    ),
)
MARKED = SavedService("fwmark 7", "rr", servers=(SavedServer("198.51.100.23:0", 2, 1),))


class ForeignTable:
    """`table` is the file of the node's own table."""

    def __init__(self, table: Path) -> None:
        self._path = table.with_suffix(".foreign")

    def read(self) -> list[SavedService]:
        if not self._path.exists():
            return []
        return [from_json(one) for one in json.loads(self._path.read_text())]

    def write(self, services: list[SavedService]) -> None:
        # Proxies' threads and the pod that puts back write, each by a file of its own.
        temporary = self._path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        temporary.write_text(json.dumps([one.to_json() for one in services]))
        temporary.replace(self._path)

    def add(self, *services: SavedService) -> None:
        self.write([*self.read(), *services])

    def delete(self, doomed: Callable[[SavedService], bool]) -> None:
        before = self.read()
        after = [one for one in before if not doomed(one)]
        if after != before:
            self.write(after)

    def told(self, address: str) -> dict[str, Any]:
        """As the sidecar tells it."""
        others = [one.to_json() for one in self.read()]
        return {"others": others, "more": 0, "addresses": [address]}


def put_back(table: ForeignTable, node: str, file: Path) -> None:
    wanted = [from_json(one) for one in json.loads(file.read_text())["put_back"].get(node, [])]
    held = 0
    while True:
        have = {one.key for one in table.read()}
        missing = [one for one in wanted if one.key not in have]
        table.add(*missing)
        held = 0 if missing else held + 1
        sys.stdout.write(json.dumps({"put_back": node, "held": held, "wrong": {}}) + "\n")
        sys.stdout.flush()
        time.sleep(0.1)


if __name__ == "__main__":
    put_back(ForeignTable(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3]))
