"""What a cluster lacks is known before kube-proxy is touched; what is not known is not missing."""

import pytest

from ipvsload.testbed.kubernetes.examined_proxy import ExaminedProxy
from ipvsload.testbed.kubernetes.missing_balancers import missing_balancers

KERNELS = {
    "one": {"rr": "loaded", "mh": "loadable", "twos": "absent"},
    "two": {"rr": "built in", "mh": "absent", "twos": "absent"},
    "three": {"rr": "unknown"},
    "four": dict[str, str](),
}


def test_schedulers_that_a_node_lacks_are_named_with_the_node() -> None:
    found = missing_balancers(["rr", "mh", "twos", "lc", "p2c"], lambda _: "", KERNELS)
    assert list(found) == ["mh", "twos"]
    assert found["mh"].startswith("the kernel of two does not have this scheduler, module ip_vs_mh")
    assert found["twos"].startswith("the kernel of one, two does not have")


@pytest.mark.parametrize(
    ("version", "missing"),
    [("v1.28.9", True), ("v1.29.0", False), ("1.36.2", False), ("", False), ("latest", False)],
)
def test_a_mode_that_kube_proxy_does_not_have_yet(version: str, missing: bool) -> None:
    found = missing_balancers(
        ["iptables", "nftables", "rr"], lambda one: ExaminedProxy().lacks(one, version), KERNELS
    )
    assert list(found) == (["nftables"] if missing else [])
    if missing:
        assert found["nftables"] == "kube-proxy v1.28.9 does not have this mode, 1.29 has"
