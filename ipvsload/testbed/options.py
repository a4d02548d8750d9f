"""What a person may say of each testbed, for two command lines: ipvsload's and Locust's.

An option of one testbed is a mistake with another: it would do nothing, silently.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ipvsload.errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """`--name`; its value is of its default's type, and one of `choices` where there are some."""

    name: str
    help: str
    default: str | int | bool = ""
    choices: tuple[str, ...] = ()
    metavar: str | None = None

    @property
    def flag(self) -> str:
        """As it is written on a command line."""
        return "--" + self.name.replace("_", "-")


CONTEXT = Option("context", "The kubeconfig's context. Default: current.")
SIDECAR_IMAGE = Option("sidecar_image", "Any image with python3 of 3.11 or later.")
URL = Option("url", "Where the balancer is: http://ADDRESS[:PORT].")

OPTIONS: dict[str, tuple[Option, ...]] = {
    "lab": (
        Option(
            "kernel",
            "The lab's director: this machine's kernel, user-mode Linux, or a virtual machine.",
            "auto",
            ("auto", "host", "uml", "qemu"),
        ),
    ),
    "kubernetes": (
        CONTEXT,
        Option("image", "Image of the real servers. Default: httpbin."),
        Option("port", "The port that the image listens on.", 80),
        Option(
            "service",
            "ClusterIP needs the load to be made in the cluster.",
            "NodePort",
            ("NodePort", "ClusterIP", "LoadBalancer"),
        ),
        Option("node", "The node whose port the load goes to."),
        SIDECAR_IMAGE,
        Option("rootless", "The sidecar reads /proc, without NET_ADMIN.", False),
        Option("keep_proxy", "Measure kube-proxy as it is; switch nothing.", False),
    ),
    "external": (
        URL,
        Option(
            "sidecar",
            "Runs the sidecar there: 'ssh director sudo ipvsload collect'.",
            metavar="COMMAND",
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
}
TESTBEDS = tuple(OPTIONS)


def refuse_foreign(testbed: str, given: Iterable[str]) -> None:
    """Raises UsageError where one of the options `given`, by name, is another testbed's."""
    names = set(given)
    for other, options in OPTIONS.items():
        for option in options:
            if other != testbed and option.name in names:
                raise UsageError(
                    f"{option.flag} is an option of --testbed {other}, not of {testbed}"
                )
