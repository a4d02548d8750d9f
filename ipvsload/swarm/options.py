"""ipvsload's arguments to the `locust` command, and what they come to.

Locust shows them in its start form, too, so values arrive twice: from a command
line, where argparse refuses bad ones, and from whoever can reach the page. What
names a program or a place on this machine is taken from the command line only.
"""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipvsload.errors import UsageError
from ipvsload.scenario.names import MAX_SERVERS, SCHEDULERS
from ipvsload.scenario.url import read_url

TESTBEDS = ("auto", "lab", "external")
KERNELS = ("auto", "host", "uml", "qemu")
MAX_CLIENTS = 100
DOOR = "ipvsload_door"
"""Where workers find the lab's door among the options that the master sends them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a test is to be made with.

    `scheduler` is "" for the scenario's first, or rr; `servers` and `clients`
    are 0 for the scenario's number, or 2 and 1. `scenario` is None where the
    locustfile plays none.
    """

    testbed: str
    scheduler: str
    servers: int
    clients: int
    scenario: Path | None
    kernel: str
    hz: float
    sidecar: str
    out: str

    def renewed(self, form: Mapping[str, Any]) -> "Options":
        """These options with what a start form may change. Raises UsageError."""
        return replace(
            self,
            scheduler=_one_of("scheduler", form.get("scheduler", self.scheduler)),
            servers=_number("servers", form.get("servers", self.servers), MAX_SERVERS),
            clients=_number("clients", form.get("clients", self.clients), MAX_CLIENTS),
            scenario=_sibling(self.scenario, form.get("scenario", self.scenario)),
        )


def add_arguments(parser: Any, scenario: Path | None) -> None:
    """Add the arguments to Locust's parser; `scenario` is the locustfile's own, if it has one."""
    group = parser.add_argument_group("IPVS options (ipvsload)")

    def add(*names: str, include_in_web_ui: bool = True, **about: Any) -> None:
        action = group.add_argument(*names, **about)
        # A group of Locust's parser leaves out what its own add_argument does.
        action.include_in_web_ui = include_in_web_ui
        action.is_secret = action.is_required = action.is_multiple = False

    add(
        "--testbed",
        choices=TESTBEDS,
        default="auto",
        env_var="IPVSLOAD_TESTBED",
        include_in_web_ui=False,
        help="lab: made for this command; external: the balancer at -H. auto: external with -H",
    )
    add(
        "--scheduler",
        choices=("", *SCHEDULERS),
        default="",
        env_var="IPVSLOAD_SCHEDULER",
        help="IPVS scheduler (default: the scenario's first, or rr)",
    )
    if scenario is not None:
        add(
            "--scenario",
            default=str(scenario),
            env_var="IPVSLOAD_SCENARIO",
            help="Scenario file, or the name of one beside it",
        )
    add(
        "--servers",
        type=int,
        default=0,
        env_var="IPVSLOAD_SERVERS",
        help="Real servers at the start (0: the scenario's number, or 2)",
    )
    add(
        "--clients",
        type=int,
        default=0,
        env_var="IPVSLOAD_CLIENTS",
        help="Source addresses of the load in the lab (0: the scenario's number, or 1)",
    )
    add(
        "--kernel",
        choices=KERNELS,
        default="auto",
        env_var="IPVSLOAD_KERNEL",
        include_in_web_ui=False,
        help="The lab's director: this machine's kernel, or user-mode Linux",
    )
    add(
        "--hz",
        type=float,
        default=10.0,
        env_var="IPVSLOAD_HZ",
        include_in_web_ui=False,
        help="Samples of the kernel's table a second, 1 to 50 (default: 10)",
    )
    add(
        "--sidecar",
        default="",
        metavar="COMMAND",
        env_var="IPVSLOAD_SIDECAR",
        include_in_web_ui=False,
        help="Command that runs the sidecar beside the balancer at -H,"
        " such as 'ssh director sudo ipvsload collect'",
    )
    add(
        "--out",
        default="",
        metavar="DIR",
        env_var="IPVSLOAD_OUT",
        include_in_web_ui=False,
        help="Directory for the records of scenarios (default: runs/NAME-TIME)",
    )


def read(parsed: Namespace) -> Options:
    """The options of the command line. Raises UsageError."""
    if not 1 <= parsed.hz <= 50:
        raise UsageError(f"--hz {parsed.hz:g}: 1 to 50 samples a second")
    testbed = parsed.testbed
    if testbed == "auto":
        testbed = "external" if parsed.host else "lab"
    if testbed == "external" and not parsed.host:
        raise UsageError("--testbed external: name the balancer with -H http://ADDRESS[:PORT]")
    if testbed == "external":
        read_url(parsed.host)
    if testbed == "lab" and parsed.host:
        raise UsageError(
            f"-H {parsed.host}: the lab has an address of its own; leave -H or --testbed lab out"
        )
    if testbed == "lab" and parsed.sidecar:
        raise UsageError("--sidecar: the lab has its own; it is for a balancer at -H")
    scenario = getattr(parsed, "scenario", None)
    return Options(
        testbed=testbed,
        scheduler=parsed.scheduler,
        servers=_number("servers", parsed.servers, MAX_SERVERS),
        clients=_number("clients", parsed.clients, MAX_CLIENTS),
        scenario=Path(scenario) if scenario else None,
        kernel=parsed.kernel,
        hz=parsed.hz,
        sidecar=parsed.sidecar,
        out=parsed.out,
    )


def _one_of(name: str, value: Any) -> str:
    if value not in ("", *SCHEDULERS):
        raise UsageError(f"{name} {str(value)[:40]!r}: one of {', '.join(SCHEDULERS)}")
    return str(value)


def _number(name: str, value: Any, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= most:
        raise UsageError(f"{name} {str(value)[:40]!r}: a whole number from 0 to {most}")
    return number


def _sibling(known: Path | None, wanted: Any) -> Path | None:
    """A form may choose among the files beside the known one, and read no others."""
    if known is None or str(wanted) == str(known):
        return known
    beside = sorted(path for path in known.parent.glob("*.y*ml") if path.is_file())
    for path in beside:
        if str(wanted) in (str(path), path.name, path.stem):
            return path
    names = ", ".join(path.stem for path in beside)
    raise UsageError(f"scenario {str(wanted)[:60]!r}: here are {names or 'none'}")
