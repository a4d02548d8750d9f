"""The testbeds of `ipvsload run`: their options as click knows them, and the one that is meant."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ipvsload.errors import UsageError
from ipvsload.testbed import options as known
from ipvsload.testbed.kubernetes.object_names import PROXY_MODES

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.testbed.base import Testbed


def testbed_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every testbed's options, on a command that takes them as **options."""
    for options in reversed(known.OPTIONS.values()):
        for option in reversed(options):
            command = as_click(option)(command)
    return command


def as_click(option: known.Option) -> Callable[..., Any]:
    """The option as a decorator."""
    about: dict[str, Any] = {"default": option.default, "help": option.help}
    if option.default is False:
        about["is_flag"] = True
    elif option.default:
        about["show_default"] = True
    if option.choices:
        about["type"] = click.Choice(option.choices)
    elif isinstance(option.default, int) and not isinstance(option.default, bool):
        about["type"] = click.IntRange(1, 65535)  # the only number is a port
    if option.metavar:
        about["metavar"] = option.metavar
    return click.option(option.flag, **about)


def refuse_foreign(testbed: str) -> None:
    """Raises UsageError for an option that belongs to another testbed."""
    context = click.get_current_context()
    told = click.core.ParameterSource.COMMANDLINE
    known.refuse_foreign(
        testbed, (name for name in context.params if context.get_parameter_source(name) == told)
    )


def make_testbed(
    testbed: str,
    scenario: "Scenario",
    schedulers: tuple[str, ...],
    hz: float,
    tell: Callable[[str], None],
    options: Mapping[str, Any],
) -> "Testbed":
    """The testbed, not started. Raises UsageError where the scenario cannot be played on it."""
    if testbed != "kubernetes" and (modes := set(schedulers) & set(PROXY_MODES)):
        raise UsageError(f"--scheduler {modes.pop()} is a mode of kube-proxy: --testbed kubernetes")
    if testbed == "lab":
        from ipvsload.scenario.servers_needed import servers_needed
        from ipvsload.testbed.lab.lab_testbed import LabTestbed

        return LabTestbed(
            kernel=options["kernel"],
            servers=servers_needed(scenario),
            clients=scenario.service.clients,
            schedulers=schedulers,
        )
    if testbed == "external":
        _demand_external(options)
    # Before anything that imports ssl: Locust has gevent patch it.
    import ipvsload.experiment.headless  # noqa: F401
    from ipvsload.scenario.capabilities import check_capabilities
    from ipvsload.testbed.registry import given_testbed

    made = given_testbed(testbed, options, hz, tell)
    check_capabilities(scenario, made.lacks)
    return made


def _demand_external(options: Mapping[str, Any]) -> None:
    if not options["url"]:
        raise UsageError("--testbed external: say where the balancer is: --url http://ADDRESS")
    if not options["sidecar"]:
        raise UsageError(
            "--testbed external: say what reads its table: --sidecar 'ssh director sudo ipvsload"
            " collect'"
        )
