"""The path from here to the real servers, over the probe service's port of the entry node."""

import time
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.log_followers import Address, reach
from ipvsload.testbed.kubernetes.polling import wait_for

_WARM_WITHIN = 30.0
_SETTLE_WITHIN = 10.0
_SYNC = 1.5
"""kube-proxy writes its rules once a second at most (iptables.minSyncPeriod)."""


def settle(address: Address) -> None:
    """Wait until the kube-proxy that is to be replaced knows the pods.

    One in iptables mode leaves its rules behind when it ends. Without the pods
    there is a rule that refuses a service without endpoints: seen with 1.20.
    """
    with suppress(TestbedError):  # it may be broken, and is about to be replaced
        wait_for(
            "the present proxy to know the pods",
            lambda: None if reach(address) else "",
            _SETTLE_WITHIN,
        )
    time.sleep(_SYNC)


def warm(address: Address, servers: int, tell: Tell) -> bool:
    """Make two connections for each real server; whether all could be made.

    kube-proxy writes the table first and the rules around it afterwards.
    """
    left = 2 * servers

    def missing() -> str | None:
        nonlocal left
        while left and reach(address):
            left -= 1
        return f"{address[0]}:{address[1]} does not answer" if left else None

    try:
        wait_for("the way to the real servers", missing, _WARM_WITHIN, tell)
    except TestbedError:
        return False
    return True
