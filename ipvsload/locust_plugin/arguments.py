"""ipvsload's arguments to the `locust` command, and the options that they make.

Locust shows them in its start form, too, so values arrive twice: from a command
line, where argparse refuses bad ones, and from anybody who can reach the page.
What names a program or a path of this machine is taken from the command line only.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipvsload.errors import UsageError
from ipvsload.scenario.names import MAX_CLIENTS, MAX_SERVERS
from ipvsload.scenario.url import read_url
from ipvsload.testbed.balancers import BALANCERS
from ipvsload.testbed.kind import Option
from ipvsload.testbed.registry import DEFAULT, TESTBEDS, kind_for_host, refuse_foreign_options

SOCKET_BROKER = "ipvsload_socket_broker"
"""The option that tells workers the lab's socket broker; the master sends them its options."""
_AUTO = "auto"
_TESTBED = Option(
    "testbed",
    "; ".join(f"{kind.name}: {kind.about}" for kind in TESTBEDS.values())
    + f". auto: {kind_for_host('-H').name} with -H, else {DEFAULT.name}",
    default=_AUTO,
    choices=(_AUTO, *TESTBEDS),
)
_FORM_OPTIONS = (
    Option(
        "scheduler",
        "IPVS scheduler (default: the scenario's first; without a scenario rr in the lab,"
        " and elsewhere the one that is there)",
        choices=("", *BALANCERS),
    ),
    Option("servers", "Real servers at the start (0: the scenario's number, or 2)", default=0),
    Option(
        "clients",
        "Source addresses of the load in the lab (0: the scenario's number, or 1)",
        default=0,
    ),
)
"""What Locust's start form has, too."""
_SCENARIO = Option("scenario", "Scenario file, or the name of one beside it")
_OTHER_OPTIONS = (
    Option("hz", "Samples of the kernel's table a second, 1 to 50 (default: 10)", default=10.0),
    Option(
        "out", "Directory for the records of scenarios (default: runs/NAME-TIME)", metavar="DIR"
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a test is to be made.

    `scheduler` is "" for the scenario's first, or the testbed's default; `servers`
    and `clients` are 0 for the scenario's number, or 2 and 1. `scenario` is None
    where the locustfile plays none. `hz` is samples a second. `testbed_options`
    has the testbed's own, as its kind lists them.
    """

    testbed: str
    scheduler: str
    servers: int
    clients: int
    scenario: Path | None
    hz: float
    out: str
    testbed_options: Mapping[str, Any]

    def renewed(self, form: Mapping[str, Any]) -> "Options":
        """Return these options with the changes that a start form may make. Raises UsageError."""
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
    in_form = list(_FORM_OPTIONS)
    if scenario is not None:
        in_form.insert(1, _SCENARIO._replace(default=str(scenario)))
    others = [option._replace(help=f"{kind}: {option.help}") for kind, option in _testbed_options()]
    for option in (_TESTBED, *in_form, *_OTHER_OPTIONS, *others):
        about: dict[str, Any] = {"type": type(option.default), "metavar": option.metavar}
        if option.choices:
            about = {"choices": option.choices}
        elif option.default is False:
            about = {"action": "store_true"}
        action = group.add_argument(
            option.flag,
            default=option.default,
            env_var=f"IPVSLOAD_{option.name.upper()}",
            help=option.help,
            **about,
        )
        # Locust's parser sets these in its own add_argument, but its groups do not.
        action.include_in_web_ui = option in in_form
        action.is_secret = action.is_required = action.is_multiple = False


def read(parsed: Namespace) -> Options:
    """Return the options of the command line. Raises UsageError."""
    if not 1 <= parsed.hz <= 50:
        raise UsageError(f"--hz {parsed.hz:g}: 1 to 50 samples a second")
    host = parsed.host or ""
    kind = kind_for_host(host) if parsed.testbed == _AUTO else TESTBEDS[parsed.testbed]
    testbed = kind.name
    if kind.takes_host and not host:
        raise UsageError(f"--testbed {testbed}: name the balancer with -H http://ADDRESS[:PORT]")
    if kind.takes_host:
        read_url(host)
    elif host:
        raise UsageError(
            f"-H {host}: a {testbed} has an address of its own; leave -H or --testbed out"
        )
    given = {option.name: getattr(parsed, option.name) for _, option in _testbed_options()}
    refuse_foreign_options(
        kind, (o.name for _, o in _testbed_options() if given[o.name] != o.default)
    )
    by_host = {option.name: host for option in kind.options if option.by_host}
    scenario = getattr(parsed, "scenario", None)
    return Options(
        testbed=testbed,
        scheduler=_scheduler(parsed.scheduler, testbed),
        servers=_number("servers", parsed.servers, MAX_SERVERS),
        clients=_number("clients", parsed.clients, MAX_CLIENTS),
        scenario=Path(scenario) if scenario else None,
        hz=parsed.hz,
        out=parsed.out,
        testbed_options={**given, **by_host},
    )


def web_base_path(parsed: Namespace | None) -> str:
    """Locust's --web-base-path as it stands before a path; "" without."""
    return (getattr(parsed, "web_base_path", None) or "").rstrip("/")


def _testbed_options() -> Iterator[tuple[str, Option]]:
    """Yield every testbed's options, but for those that Locust's -H gives."""
    for kind in TESTBEDS.values():
        for option in kind.options:
            if not option.by_host:
                yield kind.name, option


def _scheduler(value: Any, testbed: str) -> str:
    known = TESTBEDS[testbed].balancers
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
    """Choose among the files in the known one's folder; a form may read no others."""
    if known is None or str(wanted) == str(known):
        return known
    siblings = sorted(path for path in known.parent.glob("*.y*ml") if path.is_file())
    for path in siblings:
        if str(wanted) in (str(path), path.name, path.stem):
            return path
    names = ", ".join(path.stem for path in siblings)
    raise UsageError(f"scenario {str(wanted)[:60]!r}: here are {names or 'none'}")
