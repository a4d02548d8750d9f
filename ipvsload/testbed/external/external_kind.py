"""The director that is there already, as `--testbed external` names it."""

from typing import TYPE_CHECKING

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.testbed.kind import Option, TestbedKind, TestbedRequest

if TYPE_CHECKING:
    from ipvsload.testbed.base import Testbed


def _make(request: TestbedRequest) -> "Testbed":
    from ipvsload.testbed.external.external_testbed import ExternalTestbed

    options = request.options
    return ExternalTestbed(
        options["url"], options["sidecar"], options["set_scheduler"], options["set_weight"]
    )


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
