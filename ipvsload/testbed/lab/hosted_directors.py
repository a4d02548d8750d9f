"""The directors of a lab inside their one kernel: network namespaces of it.

IPVS's tables, sysctls and connections are per network namespace, so each is a
director of its own, as a cluster's node is; and one kernel boots as quickly as
ever. The first is the namespace that the agent is born in and has the network
cards; the others have MACVLANs on them.
"""

import os
from collections.abc import Mapping
from typing import Any, Self

from ipvsload.testbed.lab import network

SEVERAL = "several directors need MACVLANs (module macvlan)"
"""Begins the error of a kernel that can be one director only."""


class HostedDirector:
    """One of them; `with` it, what this process opens belongs to its namespace.

    `name` is the node's in samples. `ipvs` is its table, an ipvs.client.Ipvs.
    `server_link` leads to the real servers.
    """

    def __init__(
        self, name: str, ipvs: Any, server_link: str, namespace: int = -1, home: int = -1
    ) -> None:
        self.name = name
        self.ipvs = ipvs
        self._server_link = server_link
        self._namespace, self._home = namespace, home

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        _enter(self._home)

    def enter(self) -> None:
        """Stay there, also with what this process starts."""
        _enter(self._namespace)

    def set_neighbours(self, neighbours: Mapping[str, str]) -> None:
        """Tell its kernel real servers' link addresses, so that it never asks for them.

        Call it inside. Raises RuntimeError.
        """
        network.run_ip(
            "\n".join(
                f"neigh replace {host} lladdr {address} dev {self._server_link} nud permanent"
                for host, address in neighbours.items()
            )
        )


def _enter(namespace: int) -> None:
    if namespace >= 0:
        from ipvsload.testbed.lab.namespaces import setns  # with ctypes: only where it is needed

        setns(namespace)


def host_directors(
    ipvs: Any, count: int, family: str, client_link: str, server_link: str
) -> list[HostedDirector]:
    """Make and wire `count` directors here, where `ipvs` is the first's table.

    `family` is one of addresses.PLANS. The links are the network cards; one card may be
    both. Raises OSError and RuntimeError.
    """
    sysctls = network.director_sysctls(family)
    if client_link == server_link:
        network.configure(network.ONE_CARD_SYSCTLS, network.split_card(client_link))
        server_link = network.SERVER_LINK
    network.configure(sysctls, network.director_side(1, family, client_link, server_link))
    if count == 1:
        return [HostedDirector("director", ipvs, server_link)]
    from ipvsload.testbed.lab.namespaces import new_network, setns

    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    others = [new_network() for _ in range(count - 1)]
    setns(home)
    paths = [f"/proc/{os.getpid()}/fd/{descriptor}" for descriptor in others]
    try:
        network.run_ip(network.further_links(client_link, server_link, paths))
    except RuntimeError as error:
        raise RuntimeError(f"{SEVERAL}: {error}") from None
    hosted = [HostedDirector("director-1", ipvs, server_link, home, home)]
    for number, namespace in enumerate(others, 2):
        setns(namespace)
        network.configure(sysctls, network.director_side(number, family, *network.FURTHER_LINKS))
        hosted.append(
            HostedDirector(
                f"director-{number}", type(ipvs)(), network.FURTHER_LINKS[1], namespace, home
            )
        )
    setns(home)
    return hosted
