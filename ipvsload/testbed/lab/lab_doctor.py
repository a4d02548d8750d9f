"""What a lab needs of this machine, found out by trying each part.

A file that exists proves nothing (/dev/kvm without KVM, a module without the
right to use it), so every kernel is really brought up.
"""

import re
import shutil
import time
from contextlib import closing

from ipvsload.errors import TestbedError
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.lab import container
from ipvsload.testbed.lab.hosted_directors import SEVERAL
from ipvsload.testbed.lab.kernels import AUTO
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.lab import Lab
from ipvsload.testbed.lab.lab_refused import LabRefusedError
from ipvsload.testbed.lab.topology import Topology


def examine() -> list[DoctorFinding]:
    """Every finding; the last one is whether the lab works at all."""
    findings = [
        _program("ip", "sudo apt-get install iproute2", "wires the lab"),
        _program(
            "iptables-legacy-restore",
            "sudo apt-get install iptables",
            "optional: balances by iptables, in user-mode Linux",
        ),
        _program("nft", "sudo apt-get install nftables", "optional: `forwarding: dr` and `tun`"),
        _program("ipvsadm", "sudo apt-get install ipvsadm", "optional: for people in `lab exec`"),
    ]
    engine = container.engine()
    if engine:
        findings.append(DoctorFinding("container", True, f"this is one of {engine.name}"))
    try:
        kernels = {name: _kernel(name) for name in KERNELS}
    except LabRefusedError as refused:
        return [*findings, DoctorFinding("lab", False, str(refused))]
    usable = [name for name, finding in kernels.items() if finding.good]
    text = f"--kernel {AUTO} takes {usable[0]}" if usable else "no kernel can be the director"
    return [*findings, *kernels.values(), DoctorFinding("lab", bool(usable), text)]


def _program(name: str, mend: str, why: str) -> DoctorFinding:
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return DoctorFinding(name, path is not None, path or f"{why}; install it with: {mend}")


def _kernel(name: str, directors: int = 2, but: str = "") -> DoctorFinding:
    """Whether this kernel is a director here; `but` is what it cannot be."""
    began = time.monotonic()
    try:
        with closing(Lab(Topology(directors=directors), kernel=name)) as lab:
            lab.wait_ready()
            seconds = time.monotonic() - began
            text = f"Linux {lab.kernel.release}, ready in {seconds:.1f} s{but}"
            return DoctorFinding(f"kernel {name}", True, text)
    except LabRefusedError:
        raise  # whatever kernel it is
    except TestbedError as error:
        if SEVERAL in str(error) and directors > 1:
            return _kernel(name, 1, f"; {str(error).splitlines()[-1].strip()}")
        reason = re.sub(rf"^{name}(/\w+)?: ", "", str(error).splitlines()[-1].strip())
        return DoctorFinding(f"kernel {name}", False, f"{reason} ({KERNELS[name].mend})")
