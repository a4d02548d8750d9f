"""The testbeds that are there already, out of what was said of them; a lab is made."""

from collections.abc import Callable, Mapping
from typing import Any

from ipvsload.testbed.base import Testbed


def given_testbed(
    name: str, options: Mapping[str, Any], hz: float, tell: Callable[[str], None]
) -> Testbed:
    """The testbed "kubernetes" or "external", not started; `options` as in OPTIONS.

    `hz` is the rate of samples, `tell` hears each step. Raises UsageError.
    """
    if name == "external":
        from ipvsload.testbed.external.external_testbed import ExternalTestbed

        return ExternalTestbed(
            options["url"], options["sidecar"], options["set_scheduler"], options["set_weight"]
        )
    from ipvsload.testbed.kubernetes.cluster_options import Options
    from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed
    from ipvsload.testbed.kubernetes.manifests import HTTPBIN, PYTHON, Workload

    chosen = Options(
        context=options["context"],
        workload=Workload(options["image"] or HTTPBIN, options["port"], options["service"]),
        sidecar_image=options["sidecar_image"] or PYTHON,
        node=options["node"],
        rootless=options["rootless"],
        keep_proxy=options["keep_proxy"],
    )
    return KubernetesTestbed(chosen, hz=hz, tell=tell)
