"""What testbeds that are there already have in common: clusters, and directors of others."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NoReturn

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.testbed.tcp_timeouts import timeouts_here


class ExistingTestbed:
    """The load is sent from this machine, and others may use the balancer too."""

    exclusive = False
    socket_broker = ""
    packet_watch = None
    max_real_servers = MAX_SERVERS

    def __init__(self, lacks: Mapping[Capability, str]) -> None:
        self.lacks = dict(lacks)

    def missing_balancers(self, _balancers: Sequence[str]) -> Mapping[str, str]:
        """None that is known: trying one would change what is not ours."""
        return {}

    def refused_settings(self, _settings: BalancerSettings) -> str:
        """Nothing more than `lacks` says."""
        return ""

    def fault_server(self, _address: str, _fault: ServerFault) -> NoReturn:
        """Raise TestbedError: the server's process is out of reach."""
        raise TestbedError(self.lacks["faults"])

    def set_server_speed(self, _address: str, _speed: float) -> NoReturn:
        """Raise TestbedError: see `fault_server`."""
        raise TestbedError(self.lacks["faults"])

    def open_occupancy(self, _hz: float) -> None:
        """None: its real servers tell nothing of themselves."""

    def retire(self) -> None:
        """None: there is one service for all runs."""

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts of this machine, of all its connections."""
        return timeouts_here()

    def fileno(self) -> int:
        """Never readable: the stream of samples tells what breaks."""
        return _silent_pipe()[0]

    def broken(self) -> TestbedError | None:
        """None; see `fileno`."""
        return None


@cache
def _silent_pipe() -> tuple[int, int]:
    """A pipe that nobody writes to; one serves all testbeds of this process."""
    return os.pipe()
