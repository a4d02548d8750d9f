"""What the doctor says of a kernel that can be one director, and no more."""

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab import lab_doctor
from ipvsload.testbed.lab.hosted_directors import SEVERAL
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.lab import ReadyKernel
from ipvsload.testbed.lab.topology import Topology


class WithoutMacvlan:
    """A lab on such a kernel, which this machine does not have."""

    kernel = ReadyKernel("uml", "6.1.0", 1.0)

    def __init__(self, topology: Topology, *, kernel: str) -> None:
        self._directors = topology.directors

    def wait_ready(self) -> None:
        if self._directors > 1:
            raise TestbedError(f"tried\n  uml: {SEVERAL}: ip: Error: Unknown device type.")

    def close(self) -> None:
        pass


def test_a_kernel_without_macvlan_is_good_for_one_director(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_doctor, "Lab", WithoutMacvlan)
    monkeypatch.setattr(lab_doctor, "KERNELS", {"uml": KERNELS["uml"]})
    kernel, whole = lab_doctor.examine()[-2:]
    assert kernel.good
    assert kernel.text.startswith("Linux 6.1.0, ready in ")
    assert f"; uml: {SEVERAL}: ip: Error" in kernel.text
    assert whole.good
