"""What makes virtual servers of a cluster's Services, as a run has to do with it.

That is kube-proxy, or kube-router instead of it. They differ in how another
balancer is had of them, in what they can balance by, and in what they say.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.journal import Journal
from ipvsload.testbed.kubernetes.node_lines import NodeState
from ipvsload.testbed.kubernetes.proxies import Reason
from ipvsload.testbed.kubernetes.proxy_config import ProxyConfig
from ipvsload.testbed.kubernetes.proxy_daemon_set import ConfigPlace

NodeFacts = Mapping[str, Any]
"""What the doctor's pod has told of its node."""


class ServiceProxy(Protocol):
    """A program in a cluster, as it was found."""

    @property
    def program(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its image's tag; "" where that is not known."""

    @property
    def place(self) -> ConfigPlace | None:
        """The ConfigMap that has its mode and scheduler; None where that is not how it is set."""

    @property
    def config(self) -> ProxyConfig | None:
        """What is configured there, or by flags; None where that is not known."""

    @property
    def fixed(self) -> str:
        """Why it can have no other balancer than it has; "" where it can."""

    def lacks(self, balancer: Balancer, version: str = "", /) -> str:
        """Why it can surely not have this one; "" where it may.

        `version` is what it says of itself, "" before it was asked.
        """

    def use(self, api: Api, journal: Journal, balancer: Balancer, tell: Tell) -> Journal:
        """Have it balance the service under test by this one; returns the journal afterwards.

        Raises TestbedError. Whether it does so, the kernel's tables say.
        """

    def differs(self, node: NodeState) -> str:
        """What of our service in a node's table is not as it was told to set it; "" if nothing."""

    def running(self, node: NodeState) -> str:
        """What runs on the node, in a line."""

    def reasons(self, api: Api) -> Mapping[str, Reason]:
        """What it says went wrong, by node."""

    def findings(self, api: Api) -> Iterator[DoctorFinding]:
        """For the doctor: what it is and how it is set, before nodes are looked at."""

    def node_findings(self, name: str, fact: NodeFacts) -> Iterator[DoctorFinding]:
        """For the doctor: what runs on a node, beside what is configured."""

    def table_findings(self, facts: Mapping[str, NodeFacts], api: Api) -> Iterator[DoctorFinding]:
        """For the doctor: what it does to all that is in the nodes' tables."""
