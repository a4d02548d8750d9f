"""A director played by files: what a sidecar prints of it, and commands that change that."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from ipvsload.ipvs.table import RealServer
from ipvsload.testbed.external.external_testbed import ExternalTestbed

KEY = "tcp 192.0.2.80:80"
ONE, TWO = "198.51.100.11:80", "198.51.100.12:80"

_SET = """
import json, pathlib, sys, time
folder, what, server, value, *options = sys.argv[1:]
folder = pathlib.Path(folder)
with (folder / "log").open("a") as log:
    print(*filter(None, (what, server, value, *options)), file=log)
if (folder / "broken").exists():
    sys.exit((folder / "broken").read_text())
state = json.loads((folder / "state").read_text())
if what == "scheduler":
    state["scheduler"], state["options"] = value, options
else:
    state["weights"][server] = int(value)
if (folder / "slow").exists():
    (folder / "slow").unlink()
    (folder / "at-work").touch()
    time.sleep(1.5)
(folder / "state").write_text(json.dumps(state))
"""
_COLLECT = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
if (folder / "unreachable").exists():
    sys.exit("no route to host")
if "--connections" in sys.argv:
    (folder / "asked").write_text(sys.stdin.read())
    if not (folder / "connections").exists():
        sys.exit("ipvsload collect: error: unrecognized arguments: --connections")
    print((folder / "connections").read_text())
    sys.exit()
state = json.loads((folder / "state").read_text())
hello = json.loads((folder / "hello").read_text())
service = json.loads((folder / "service").read_text())
service["scheduler"] = state["scheduler"]
options = state.get("options", [])
if "-b" in options:
    bits = {"sh-fallback": 8, "sh-port": 16}
    service["flags"] |= sum(bits[one] for one in options[options.index("-b") + 1].split(","))
if "-p" in options:
    service["flags"] |= 1
    service["persistent_timeout"] = int(options[options.index("-p") + 1])
service["servers"] = [[a, w] + [0] * 8 for a, w in state["weights"].items()]
print(json.dumps(hello))
print(json.dumps({"n": 0, "t": 1, "took": 1, "services": [service] if state["weights"] else []}))
"""


class FakeDirector:
    """One service with two servers, in files of `folder`; under rr, where it is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = shlex.join([sys.executable, "-IS"])
        self.sidecar = f"{place} {folder}/collect.py {folder}"
        self.set_scheduler = f"{place} {folder}/set.py {folder} scheduler '' {{scheduler}}"
        self.set_weight = f"{place} {folder}/set.py {folder} weight {{server}} {{weight}}"
        if (folder / "state").exists():
            return
        service = {"key": KEY, "scheduler": "", "flags": 2, "persistent_timeout": 0}
        counters = dict.fromkeys(("conns", "inpkts", "outpkts", "inbytes", "outbytes"), 0)
        (folder / "service").write_text(json.dumps({**service, **counters}))
        (folder / "set.py").write_text(_SET)
        (folder / "collect.py").write_text(_COLLECT)
        self.be("rr", 1, 1)
        self.say_hello()

    def testbed(self, **more: Any) -> ExternalTestbed:
        """A testbed with all commands."""
        commands = {"set_scheduler": self.set_scheduler, "set_weight": self.set_weight}
        return ExternalTestbed("http://192.0.2.80", self.sidecar, **{**commands, **more})

    def be(self, scheduler: str, one: int, two: int) -> None:
        """Set its table, as somebody else would: the scheduler, and the servers' weights."""
        state = {"scheduler": scheduler, "weights": {ONE: one, TWO: two}}
        (self.folder / "state").write_text(json.dumps(state))

    def say_hello(self, node: str = "lb1", table: str = "boot-1 net:[1]") -> None:
        """What the sidecar says of itself."""
        hello = {
            "ipvsload": "samples", "version": 1, "node": node, "kernel": "6.1", "ipvs": "1.2.1",
            "hz": 10, "t": 5, "wall": 6, "server_columns": RealServer._fields, "table": table,
        }  # fmt: skip
        (self.folder / "hello").write_text(json.dumps(hello))

    @property
    def table(self) -> tuple[str, int, int]:
        """The scheduler and the two weights."""
        state = json.loads((self.folder / "state").read_text())
        return state["scheduler"], state["weights"][ONE], state["weights"][TWO]

    @property
    def log(self) -> list[str]:
        """The commands that were given, as "scheduler lc"."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []
