"""ipvsload's arguments to the `locust` command, and what they come to.

Locust shows them in its start form, too, so values arrive twice: from a command
line, where argparse refuses bad ones, and from whoever can reach the page. What
names a program or a place on this machine is taken from the command line only.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipvsload.errors import UsageError
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.url import read_url
from ipvsload.testbed.kubernetes.object_names import PROXY_MODES
from ipvsload.testbed.options import OPTIONS, TESTBEDS, URL, Option, refuse_foreign

MAX_CLIENTS = 100
DOOR = "ipvsload_door"
"""Where workers find the lab's door among the options that the master sends them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a test is to be made with.

    `scheduler` is "" for the scenario's first, or rr; `servers` and `clients`
    are 0 for the scenario's number, or 2 and 1. `scenario` is None where the
    locustfile plays none. `place` are the testbed's own, as in `testbed.options`.
    """

    testbed: str
    scheduler: str
    servers: int
    clients: int
    scenario: Path | None
    hz: float
    out: str
    place: Mapping[str, Any]

    def renewed(self, form: Mapping[str, Any]) -> "Options":
        """These options with what a start form may change. Raises UsageError."""
        return replace(
            self,
            scheduler=_scheduler(form.get("scheduler", self.scheduler), self.testbed),
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
        choices=("auto", *TESTBEDS),
        default="auto",
        env_var="IPVSLOAD_TESTBED",
        include_in_web_ui=False,
        help="lab: made for this command; kubernetes: a cluster; external: the balancer at -H."
        " auto: external with -H, else lab",
    )
    add(
        "--scheduler",
        choices=("", *SCHEDULERS, *PROXY_MODES),
        default="",
        env_var="IPVSLOAD_SCHEDULER",
        help="IPVS scheduler (default: the scenario's first; without a scenario rr in the lab,"
        " and elsewhere the one that is there)",
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
        "--hz",
        type=float,
        default=10.0,
        env_var="IPVSLOAD_HZ",
        include_in_web_ui=False,
        help="Samples of the kernel's table a second, 1 to 50 (default: 10)",
    )
    add(
        "--out",
        default="",
        metavar="DIR",
        env_var="IPVSLOAD_OUT",
        include_in_web_ui=False,
        help="Directory for the records of scenarios (default: runs/NAME-TIME)",
    )
    for testbed, option in _own():
        about: dict[str, Any] = {"type": type(option.default), "metavar": option.metavar}
        if option.choices:
            about = {"choices": option.choices}
        elif option.default is False:
            about = {"action": "store_true"}
        add(
            option.flag,
            default=option.default,
            env_var=f"IPVSLOAD_{option.name.upper()}",
            include_in_web_ui=False,
            help=f"{testbed}: {option.help}",
            **about,
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
    elif parsed.host:
        raise UsageError(
            f"-H {parsed.host}: a {testbed} has an address of its own; leave -H or --testbed out"
        )
    given = {option.name: getattr(parsed, option.name) for _, option in _own()}
    refuse_foreign(testbed, (o.name for _, o in _own() if given[o.name] != o.default))
    scenario = getattr(parsed, "scenario", None)
    return Options(
        testbed=testbed,
        scheduler=_scheduler(parsed.scheduler, testbed),
        servers=_number("servers", parsed.servers, MAX_SERVERS),
        clients=_number("clients", parsed.clients, MAX_CLIENTS),
        scenario=Path(scenario) if scenario else None,
        hz=parsed.hz,
        out=parsed.out,
        place={**given, URL.name: parsed.host or ""},
    )


def _own() -> Iterator[tuple[str, Option]]:
    """Every testbed's own options; the URL is Locust's -H."""
    for testbed, options in OPTIONS.items():
        for option in options:
            if option is not URL:
                yield testbed, option


def _scheduler(value: Any, testbed: str) -> str:
    known = (*SCHEDULERS, *PROXY_MODES) if testbed == "kubernetes" else SCHEDULERS
    if value not in ("", *known):
        raise UsageError(f"scheduler {str(value)[:40]!r}: one of {', '.join(known)}")
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
