"""The testbeds that `ipvsload run` can be told to use, and what each needs to be told.

An option of one testbed is a mistake with another: it would do nothing, silently.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ipvsload.errors import UsageError
from ipvsload.testbed.kubernetes.names import PROXY_MODES

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.testbed.base import Testbed

TESTBEDS = ("lab", "kubernetes", "external")

_OPTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "lab": (
        click.option(
            "--kernel",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "host", "uml", "qemu"]),
            help="The lab's director: this machine's kernel, user-mode Linux, or a virtual"
            " machine.",
        ),
    ),
    "kubernetes": (
        click.option("--context", default="", help="The kubeconfig's context. Default: current."),
        click.option("--image", default="", help="Image of the real servers. Default: httpbin."),
        click.option(
            "--port",
            default=80,
            show_default=True,
            type=click.IntRange(1, 65535),
            help="The port that the image listens on.",
        ),
        click.option(
            "--service",
            default="NodePort",
            show_default=True,
            type=click.Choice(["NodePort", "ClusterIP", "LoadBalancer"]),
            help="ClusterIP needs ipvsload to run in the cluster.",
        ),
        click.option("--node", default="", help="The node whose port the load goes to."),
        click.option(
            "--sidecar-image", default="", help="Any image with python3 of 3.11 or later."
        ),
        click.option(
            "--rootless", is_flag=True, help="The sidecar reads /proc, without NET_ADMIN."
        ),
        click.option(
            "--keep-proxy", is_flag=True, help="Measure kube-proxy as it is; switch nothing."
        ),
    ),
    "external": (
        click.option("--url", default="", help="Where the balancer is: http://ADDRESS[:PORT]."),
        click.option(
            "--sidecar",
            default="",
            metavar="COMMAND",
            help="Runs the sidecar there: 'ssh director sudo ipvsload collect'.",
        ),
        click.option(
            "--set-scheduler",
            default="",
            metavar="COMMAND",
            help="Sets the scheduler; {scheduler} and {service} are replaced.",
        ),
        click.option(
            "--set-weight",
            default="",
            metavar="COMMAND",
            help="Sets a weight; {server}, {weight} and {service} are replaced.",
        ),
    ),
}


def testbed_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every testbed's options, on a command that takes them as **options."""
    for options in reversed(_OPTIONS.values()):
        for option in reversed(options):
            command = option(command)
    return command


def refuse_foreign(testbed: str) -> None:
    """Raises UsageError for an option that belongs to another testbed."""
    context = click.get_current_context()
    mine = {_name(option) for option in _OPTIONS[testbed]}
    for other, options in _OPTIONS.items():
        for name in {_name(option) for option in options} - mine:
            given = context.get_parameter_source(name)
            if other != testbed and given == click.core.ParameterSource.COMMANDLINE:
                flag = "--" + name.replace("_", "-")
                raise UsageError(f"{flag} is an option of --testbed {other}, not of {testbed}")


def make_testbed(
    testbed: str,
    scenario: "Scenario",
    schedulers: tuple[str, ...],
    hz: float,
    tell: Callable[[str], None],
    options: dict[str, Any],
) -> "Testbed":
    """The testbed, not started. Raises UsageError where the scenario cannot be played on it."""
    if testbed != "kubernetes" and (modes := set(schedulers) & set(PROXY_MODES)):
        raise UsageError(f"--scheduler {modes.pop()} is a mode of kube-proxy: --testbed kubernetes")
    if testbed == "kubernetes":
        return _kubernetes(scenario, hz, tell, options)
    if testbed == "external":
        return _external(options)
    from ipvsload.run.need import need
    from ipvsload.testbed.lab.testbed import LabTestbed

    return LabTestbed(
        kernel=options["kernel"],
        servers=need(scenario),
        clients=scenario.service.clients,
        schedulers=schedulers,
    )


def _kubernetes(
    scenario: "Scenario", hz: float, tell: Callable[[str], None], options: dict[str, Any]
) -> "Testbed":
    # Before anything that imports ssl: Locust has gevent patch it.
    import ipvsload.run.headless  # noqa: F401
    from ipvsload.testbed.kubernetes.manifests import HTTPBIN, PYTHON, Workload
    from ipvsload.testbed.kubernetes.options import Options
    from ipvsload.testbed.kubernetes.playable import check
    from ipvsload.testbed.kubernetes.testbed import KubernetesTestbed

    check(scenario)
    workload = Workload(options["image"] or HTTPBIN, options["port"], options["service"])
    chosen = Options(
        options["context"],
        workload,
        options["sidecar_image"] or PYTHON,
        options["node"],
        options["rootless"],
        options["keep_proxy"],
    )
    return KubernetesTestbed(chosen, hz=hz, tell=tell)


def _external(options: dict[str, Any]) -> "Testbed":
    from ipvsload.testbed.external import ExternalTestbed

    if not options["url"]:
        raise UsageError("--testbed external: say where the balancer is: --url http://ADDRESS")
    if not options["sidecar"]:
        raise UsageError(
            "--testbed external: say what reads its table: --sidecar 'ssh director sudo ipvsload"
            " collect'"
        )
    return ExternalTestbed(
        options["url"], options["sidecar"], options["set_scheduler"], options["set_weight"]
    )


def _name(option: Callable[..., Any]) -> str:
    """The parameter's name that a click.option decorator makes."""
    found: list[click.Parameter] = []

    def probe() -> None: ...

    option(probe)
    found += getattr(probe, "__click_params__", [])
    return str(found[0].name)
