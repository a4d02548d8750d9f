"""ipvsload's arguments to the `locust` command, and the options that they make.

Locust shows them in its start form, too, so values arrive twice: from a command
line, where argparse refuses bad ones, and from anybody who can reach the page.
What names a program or a path of this machine is taken from the command line only.
"""

import os
import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ipvsload.errors import UsageError
from ipvsload.locust_plugin.own_arguments import Listener, add_beside_theirs, destination, shared
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.load import load
from ipvsload.scenario.names import LABEL_PATTERN, MAX_CLIENTS, MAX_SERVERS
from ipvsload.scenario.url import MAX_PORT, Tls, read_url
from ipvsload.testbed.kind import Option
from ipvsload.testbed.registry import DEFAULT, TESTBEDS, kind_for_host, refuse_foreign_options

SOCKET_BROKER = "ipvsload_socket_broker"
"""The option that tells workers the lab's socket broker; the master sends them its options."""
TEST_NUMBER = "ipvsload_test"
"""The option that tells workers the number of the test, in the same way."""
_AUTO = "auto"
_TESTBED = Option(
    "testbed",
    "; ".join(f"{kind.name}: {kind.about}" for kind in TESTBEDS.values())
    + f". auto: {kind_for_host('-H').name} with -H, else {DEFAULT.name}",
    default=_AUTO,
    choices=(_AUTO, *TESTBEDS),
)


class _Labels(tuple[str, ...]):
    """What the start form offers. Another scenario's labels are known when that is read."""

    def __contains__(self, word: object) -> bool:
        return word == "" or re.fullmatch(LABEL_PATTERN, str(word)) is not None


_FORM_OPTIONS = (
    Option(
        "scheduler",
        "One of the scenario's schedulers, by its label, or another of IPVS (default: the"
        " scenario's first; without a scenario rr in the lab, and elsewhere the one that is"
        " there)",
        choices=_Labels(("", *BALANCERS)),
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

    `scheduler` is one of the scenario's labels, or a balancer's name;
    "" for the scenario's first, or the testbed's default; `servers`
    and `clients` are 0 for the scenario's number, or 2 and 1. `scenario` is None
    where the locustfile plays none. `hz` is samples a second. `testbed_options`
    has the testbed's own, as its kind lists them. `form_names` has what Locust's start
    form calls those that are in it, where that is not their name.
    """

    testbed: str
    scheduler: str
    servers: int
    clients: int
    scenario: Path | None
    hz: float
    out: str
    testbed_options: Mapping[str, Any]
    form_names: Mapping[str, str] = field(default_factory=dict)

    def renewed(self, form: Mapping[str, Any]) -> "Options":
        """Return these options with the changes that a start form may make. Raises UsageError."""

        def said(name: str) -> Any:
            return form.get(self.form_names.get(name, name), getattr(self, name))

        scenario = _sibling(self.scenario, said("scenario"))
        return replace(
            self,
            scheduler=_scheduler(said("scheduler"), self.testbed, scenario),
            servers=_number("servers", said("servers"), MAX_SERVERS),
            clients=_number("clients", said("clients"), MAX_CLIENTS),
            scenario=scenario,
        )


def add_arguments(parser: Any, scenario: Path | None, listeners: Sequence[Listener] = ()) -> None:
    """Add the arguments to Locust's parser; `scenario` is the locustfile's own, if it has one.

    To be called when everybody else's are there, which `listeners` added: see
    own_arguments.py.
    """
    group = parser.add_argument_group("IPVS options (ipvsload)")
    in_form = list(_FORM_OPTIONS)
    if scenario is not None:
        offered = _Labels(dict.fromkeys(["", *_labels(scenario), *BALANCERS]))
        in_form[0] = in_form[0]._replace(choices=offered)
        in_form.insert(1, _SCENARIO._replace(default=str(scenario)))
    others = [option._replace(help=f"{kind}: {option.help}") for kind, option in _testbed_options()]
    ports = [option for option in others if type(option.default) is int]
    for option in (_TESTBED, *in_form, *_OTHER_OPTIONS, *others):
        about: dict[str, Any] = {"type": type(option.default), "metavar": option.metavar}
        if option.choices:
            about = {"choices": option.choices}
        elif option.default is False:
            about = {"action": "store_true"}
        elif option in ports:
            about["type"] = _port
        action = add_beside_theirs(
            parser,
            group,
            listeners,
            option.name,
            option.flag,
            default=option.default,
            env_var=_environment_variable(option),
            help=option.help,
            **about,
        )
        # Locust's parser sets these in its own add_argument, but its groups do not.
        action.include_in_web_ui = option in in_form
        action.is_secret = action.is_required = action.is_multiple = False


def read(parsed: Namespace, plays_scenario: bool) -> Options:
    """Return the options of the command line. Raises UsageError.

    `plays_scenario` says whether the arguments were added with a scenario.
    """

    def value(name: str) -> Any:
        return getattr(parsed, destination(parsed, name))

    hz, chosen = value("hz"), value("testbed")
    if not 1 <= hz <= 50:
        raise UsageError(f"--hz {hz:g}: 1 to 50 samples a second")
    host = parsed.host or ""
    kind = kind_for_host(host) if chosen == _AUTO else TESTBEDS[chosen]
    testbed = kind.name
    if kind.takes_host and not host:
        raise UsageError(f"--testbed {testbed}: name the balancer with -H http://ADDRESS[:PORT]")
    if kind.takes_host:
        read_url(host, tls(parsed))
    elif host:
        raise UsageError(
            f"-H {host}: a {testbed} has an address of its own; leave -H or --testbed out"
        )
    given = {option.name: value(option.name) for _, option in _testbed_options()}
    refuse_foreign_options(
        kind,
        (
            option.name
            for _, option in _testbed_options()
            if given[option.name] != option.default and not _of_environment(option)
        ),
    )
    by_host = {option.name: host for option in kind.options if option.by_host}
    in_form = [option.name for option in (*_FORM_OPTIONS, _SCENARIO)]
    named = value("scenario") if plays_scenario else None
    scenario = Path(named) if named else None
    return Options(
        testbed=testbed,
        scheduler=_scheduler(value("scheduler"), testbed, scenario),
        servers=_number("servers", value("servers"), MAX_SERVERS),
        clients=_number("clients", value("clients"), MAX_CLIENTS),
        scenario=scenario,
        hz=hz,
        out=value("out"),
        testbed_options={**given, **by_host},
        form_names={name: destination(parsed, name) for name in in_form},
    )


def shared_names(parsed: Namespace, listeners: Sequence[Listener]) -> Iterator[str]:
    """Say which names of arguments are the locustfile's own here, and what ours are called."""
    every = (_TESTBED, *_FORM_OPTIONS, _SCENARIO, *_OTHER_OPTIONS)
    options = [*every, *(option for _, option in _testbed_options())]
    return shared(parsed, ((option.name, option.flag) for option in options), listeners)


def tls(parsed: Namespace) -> Tls:
    """How https servers are judged. Raises UsageError."""
    return Tls.of({name: getattr(parsed, destination(parsed, name)) for name in Tls._fields})


def web_base_path(parsed: Namespace | None) -> str:
    """Locust's --web-base-path as it stands before a path; "" without."""
    return (getattr(parsed, "web_base_path", None) or "").rstrip("/")


def _testbed_options() -> Iterator[tuple[str, Option]]:
    """Yield every testbed's options, but for those that Locust's -H gives."""
    for kind in TESTBEDS.values():
        for option in kind.options:
            if not option.by_host:
                yield kind.name, option


def _environment_variable(option: Option) -> str | None:
    """The variable that gives the option; None where Kubernetes has set one of that name.

    A pod beside a Service named "ipvsload" has IPVSLOAD_PORT=tcp://10.0.0.1:80
    (pkg/kubelet/envvars/envvars.go, makeLinkVariables), which is no port of ours.
    """
    name = f"IPVSLOAD_{option.name.upper()}"
    of_kubernetes = re.match(r"(tcp|udp|sctp)://", os.environ.get(name, ""))
    return None if of_kubernetes else name


def _of_environment(option: Option) -> bool:
    """Whether the environment has it: it is then of every command here, and of every testbed.

    IPVSLOAD_IMAGE, for instance, is also where the lab finds its director's image.
    """
    return f"IPVSLOAD_{option.name.upper()}" in os.environ


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_PORT:
        return int(text)
    raise ArgumentTypeError(f"{text[:40]!r} is not a port: 1 to {MAX_PORT}")


def _labels(scenario: Path | None) -> tuple[str, ...]:
    """The labels of the scenario; none where it has a fault, which whoever plays it will tell."""
    try:
        return tuple(one.label for one in load(Path(scenario)).schedulers) if scenario else ()
    except UsageError:
        return ()


def _scheduler(value: Any, testbed: str, scenario: Path | None) -> str:
    known = dict.fromkeys([*_labels(scenario), *TESTBEDS[testbed].balancers])
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
