"""A Kubernetes cluster, as `--testbed kubernetes` names it."""

from typing import TYPE_CHECKING

from ipvsload.scenario.balancers import BALANCERS
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

_CONTEXT = Option("context", "The kubeconfig's context. Default: current.")
_SIDECAR_IMAGE = Option("sidecar_image", "Any image with python3 of 3.11 or later.")


def _make(request: TestbedRequest) -> "Testbed":
    from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
    from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed

    given = {option.name: request.options[option.name] for option in KIND.options}
    return KubernetesTestbed(
        ClusterOptions(**given), hz=request.hz, tell=request.tell, asked=request.balancers
    )


def _examine(options: OptionValues, tell: Tell) -> "Iterable[DoctorFinding]":
    from ipvsload.testbed.kubernetes.cluster_doctor import examine
    from ipvsload.testbed.kubernetes.kubeconfig import connect

    api = connect(options["context"], tell)
    tell(str(api))
    return examine(api, tell, options["sidecar_image"])


def _restore(options: OptionValues, tell: Tell) -> "Iterable[str]":
    from ipvsload.testbed.kubernetes.kubeconfig import connect
    from ipvsload.testbed.kubernetes.restore import restore

    api = connect(options["context"], tell)
    tell(str(api))
    return restore(api, tell) or ["what that run had changed is put back"]


KIND = TestbedKind(
    name="kubernetes",
    about="a cluster",
    options=(
        _CONTEXT,
        Option("image", "Image of the real servers. Default: httpbin."),
        Option("port", "The port that the image listens on.", 80),
        Option(
            "service",
            "ClusterIP needs the load to be made in the cluster.",
            "NodePort",
            ("NodePort", "ClusterIP", "LoadBalancer"),
        ),
        Option("node", "The node whose port the load goes to."),
        _SIDECAR_IMAGE,
        Option("rootless", "The sidecar reads /proc, without NET_ADMIN.", False),
        Option("keep_proxy", "Measure kube-proxy as it is; switch nothing.", False),
        Option(
            "allow_deleting_virtual_servers",
            "Let kube-proxy delete others' for the time of the run.",
            False,
        ),
        Option("scheduler_flags", "Flags of mh, where kube-router balances: mh-port,mh-fallback."),
    ),
    make=_make,
    balancers=tuple(one.name for one in BALANCERS.values() if one.proxy_mode),
    imports_ssl=True,
    restarts_sidecar=False,
    # An API server may be away for a while; log_followers.py gives up after a minute.
    max_silence_s=65.0,
    doctor=Doctor((_CONTEXT, _SIDECAR_IMAGE), _examine),
    restorer=Restorer((_CONTEXT,), _restore),
)
