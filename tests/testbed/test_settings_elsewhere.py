"""What a scenario may set beside a scheduler where the director is not the lab's own."""

import pytest

from ipvsload.errors import UsageError
from ipvsload.scenario.capabilities import check_capabilities
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.external.external_testbed import ExternalTestbed
from ipvsload.testbed.kubernetes.cluster_capabilities import ALWAYS
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.manifests import service

EXTERNAL = ExternalTestbed("http://192.0.2.80", "true").lacks
SETTINGS = {
    "flags": Variant(scheduler="sh", flags=("sh-port",)),
    "sysctls": Variant(scheduler="rr", sysctls={"conntrack": 1}),
    "timeouts": Variant.model_validate({"scheduler": "rr", "timeouts": {"tcp": "3s"}}),
}


@pytest.mark.parametrize("lacks", [EXTERNAL, ALWAYS], ids=["external", "kubernetes"])
@pytest.mark.parametrize("key", SETTINGS)
def test_what_is_not_ours_to_set_is_refused_in_words(key: str, lacks: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=rf"scenario s wants `{key}: .*`: .* the lab"):
        check_capabilities("s", SETTINGS[key].needs(), lacks)  # type: ignore[arg-type]


def test_a_service_of_a_cluster_can_be_persistent() -> None:
    kept = Variant(scheduler="rr", persistence=60)
    check_capabilities("s", kept.needs(), ALWAYS)
    spec = service(ClusterOptions(), 1, None, None, kept.settings.persistence)["spec"]
    assert spec["sessionAffinity"] == "ClientIP"
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 60}}
    assert "sessionAffinity" not in service(ClusterOptions(), 1, None, None)["spec"]
    masked = Variant(scheduler="rr", persistence=60, netmask=24)
    with pytest.raises(UsageError, match="`netmask: 24`"):
        check_capabilities("s", masked.needs(), ALWAYS)
    with pytest.raises(UsageError, match="`persistence: 60s`"):
        check_capabilities("s", kept.needs(), EXTERNAL)
