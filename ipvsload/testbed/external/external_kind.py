"""The director that is there already, as `--testbed external` names it."""

from typing import TYPE_CHECKING

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.testbed.kind import Option, TestbedKind, TestbedRequest

if TYPE_CHECKING:
    from ipvsload.testbed.base import Testbed


def _make(request: TestbedRequest) -> "Testbed":
    from ipvsload.testbed.external.external_testbed import ExternalTestbed

    given = {option.name: request.options[option.name] for option in KIND.options}
    return ExternalTestbed(**given, tell=request.tell)


KIND = TestbedKind(
    name="external",
    about="the balancer at -H",
    options=(
        Option(
            "url",
            "Where the balancer is: http://ADDRESS[:PORT].",
            demand="say where the balancer is: --url http://ADDRESS",
            by_host=True,
        ),
        Option(
            "sidecar",
            "Runs the sidecar there: 'ssh director sudo ipvsload collect'.",
            metavar="COMMAND",
            demand="say what reads its table: --sidecar 'ssh director sudo ipvsload collect'",
        ),
        Option(
            "service_key",
            "The virtual service that the URL reaches: 'fwmark 1', 'tcp 192.0.2.80:0'."
            " Default: the table is asked.",
            metavar="KEY",
        ),
        Option(
            "set_scheduler",
            "Sets the scheduler; {scheduler} and {service} are replaced.",
            metavar="COMMAND",
        ),
        Option(
            "set_weight",
            "Sets a weight; {server}, {weight} and {service} are replaced.",
            metavar="COMMAND",
        ),
    ),
    make=_make,
    balancers=tuple(SCHEDULERS),
)
