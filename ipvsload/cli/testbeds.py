"""The one place where `ipvsload run` makes a testbed, and testbeds' options as click knows them."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.terminal import say, tell
from ipvsload.errors import UsageError
from ipvsload.scenario.url import MAX_PORT
from ipvsload.testbed import registry
from ipvsload.testbed.kind import Option, TestbedKind, TestbedRequest

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant
    from ipvsload.testbed.base import Testbed


def with_options(options: Iterable[Option]) -> Callable[..., Any]:
    """A decorator for a command that takes these options as **options."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(list(options)):
            command = as_click(option)(command)
        return command

    return decorate


def as_click(option: Option) -> Callable[..., Any]:
    """The option as a decorator."""
    about: dict[str, Any] = {"default": option.default, "help": option.help}
    if option.default is False:
        about["is_flag"] = True
    elif option.default:
        about["show_default"] = True
    if option.choices:
        about["type"] = click.Choice(option.choices)
    elif isinstance(option.default, int) and not isinstance(option.default, bool):
        about["type"] = click.IntRange(1, MAX_PORT)  # the only number is a port
    if option.metavar:
        about["metavar"] = option.metavar
    return click.option(option.flag, **about)


def refuse_foreign_options(kind: TestbedKind) -> None:
    """Raises UsageError for an option that belongs to another testbed."""
    context = click.get_current_context()
    told = click.core.ParameterSource.COMMANDLINE
    given = (name for name in context.params if context.get_parameter_source(name) == told)
    registry.refuse_foreign_options(kind, given)


def make_testbed(
    kind: TestbedKind,
    scenario: "Scenario",
    variants: "tuple[Variant, ...]",
    hz: float,
    options: Mapping[str, Any],
) -> "Testbed":
    """The testbed, not started. Raises UsageError where the scenario cannot be played on it."""
    balancers = tuple(dict.fromkeys(one.scheduler for one in variants))
    registry.refuse_foreign_balancers(kind, balancers)
    for option in kind.options:
        if option.demand and not options[option.name]:
            raise UsageError(f"--testbed {kind.name}: {option.demand}")
    if kind.imports_ssl:
        # Locust has gevent patch ssl.
        import ipvsload.experiment.headless  # noqa: F401
    from ipvsload.scenario.balancers import find
    from ipvsload.scenario.capabilities import check_capabilities
    from ipvsload.scenario.servers_needed import servers_needed

    servers = servers_needed(scenario)
    # Steps that change somebody's cluster are told also where nobody watches the terminal.
    service = scenario.service
    forwardings = tuple(one.forwarding_in(service.forwarding) for one in variants)
    testbed = kind.make(
        TestbedRequest(
            options, servers, service, balancers, hz, say, scenario.seed, forwardings, tell
        )
    )
    asked = [one.label for one in variants if variants != scenario.schedulers]
    check_capabilities(scenario.name, scenario.needs(variants), testbed.lacks, asked)
    for variant in variants:
        check_capabilities(scenario.name, scenario.needs((variant,)), find(variant.scheduler).lacks)
    return testbed
