"""The lab, as `--testbed lab` names it."""

from typing import TYPE_CHECKING

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.netfilter.nat_kinds import NAT_KINDS
from ipvsload.testbed import kind
from ipvsload.testbed.lab.kernels import AUTO, CHOICES
from ipvsload.testbed.lab.topology import SOURCE_PORTS, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipvsload.testbed.base import Testbed
    from ipvsload.testbed.doctor_finding import DoctorFinding

KERNEL = kind.Option(
    "kernel",
    "The lab's director: this machine's kernel, user-mode Linux, or a virtual machine.",
    AUTO,
    CHOICES,
)

_NO_WITNESS = kind.Option("no_witness", "Watch no packets at the director's cables.", False)


def _make(request: kind.TestbedRequest) -> "Testbed":
    from ipvsload.testbed.lab.lab_testbed import LabTestbed

    service = request.service
    asked = request.forwardings or (service.forwarding,)
    return LabTestbed(
        Topology(
            request.servers,
            service.clients,
            service.directors,
            service.spread,
            request.seed,
            direct=[name for name in dict.fromkeys(asked) if FORWARDINGS[name].direct],
            source_ports=service.source_ports,
            family=service.family,
        ),
        kernel=request.options["kernel"],
        schedulers=request.balancers,
        watched=not request.options[_NO_WITNESS.name],
        progress=request.progress,
    )


def _examine(_options: kind.OptionValues, _tell: kind.Tell) -> "Iterable[DoctorFinding]":
    from ipvsload.testbed.lab.lab_doctor import examine

    return examine()


KIND = kind.TestbedKind(
    name="lab",
    about="made for this command",
    options=(KERNEL, _NO_WITNESS),
    make=_make,
    balancers=(*SCHEDULERS, *NAT_KINDS),
    default_balancer="rr",
    is_default=True,
    has_own_network=True,
    own_ports=len(SOURCE_PORTS),
    doctor=kind.Doctor((), _examine),
)
