"""The director that is there already, as `--testbed external` names it."""

from typing import TYPE_CHECKING

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.url import Tls
from ipvsload.testbed.kind import (
    Doctor,
    Option,
    OptionValues,
    Restorer,
    Tell,
    TestbedKind,
    TestbedRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipvsload.testbed.base import Testbed
    from ipvsload.testbed.doctor_finding import DoctorFinding

_WATCHED = (
    Option(
        "url",
        "Where the balancer is: http://ADDRESS[:PORT] or https://ADDRESS[:PORT].",
        demand="say where the balancer is: --url http://ADDRESS",
        by_host=True,
    ),
    Option(
        "sidecar",
        "Runs the sidecar there: 'ssh director sudo ipvsload collect'.",
        metavar="COMMAND",
    ),
    Option(
        "service_key",
        "The virtual service that the URL reaches: 'fwmark 1', 'tcp 192.0.2.80:0'."
        " Default: the table is asked.",
        metavar="KEY",
    ),
)


def _make(request: TestbedRequest) -> "Testbed":
    from ipvsload.testbed.external.external_testbed import ExternalTestbed

    options = request.options
    words = {one.name: options[one.name] for one in KIND.options if one.name not in Tls._fields}
    return ExternalTestbed(**words, tls=Tls.of(options), tell=request.tell)


def _examine(options: OptionValues, _tell: Tell) -> "Iterable[DoctorFinding]":
    from ipvsload.testbed.external.director_doctor import examine

    return examine(**{option.name: options[option.name] for option in _WATCHED})


def _restore(_options: OptionValues, tell: Tell) -> "Iterable[str]":
    from ipvsload.testbed.external.director_restore import restore

    return restore(tell)


KIND = TestbedKind(
    name="external",
    about="the balancer at -H",
    options=(
        *_WATCHED,
        Option(
            "set_scheduler",
            "Sets the scheduler; {scheduler}, {service} and {options} (flags, persistence) are"
            " replaced.",
            metavar="COMMAND",
        ),
        Option(
            "set_weight",
            "Sets a weight; {server}, {weight} and {service} are replaced.",
            metavar="COMMAND",
        ),
        Option("ca", "Whom to trust at https://: certificates, as PEM.", metavar="FILE"),
        Option("insecure", "Take any certificate at https://.", default=False),
        Option(
            "client_cert",
            "The load's own certificate for https://, as PEM, with its key or without.",
            metavar="FILE",
        ),
        Option("client_key", "Its key, where that is in another file.", metavar="FILE"),
    ),
    make=_make,
    balancers=tuple(SCHEDULERS),
    doctor=Doctor(_WATCHED, _examine),
    restorer=Restorer((), _restore),
)
