"""Says why a lab may not be made here, and who has to permit what."""

import os

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab import container

_MACHINE = """\
This user may not make the namespaces of a lab: {reason}.
Run it as root (sudo), or permit user namespaces, whichever of these applies:
  sudo sysctl -w user.max_user_namespaces=10000
  sudo sysctl -w kernel.unprivileged_userns_clone=1
  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"""
_CONTAINER = """\
This container may not make the namespaces of a lab: {reason}.
{engine} lets it when the container is started by
  {start}
It needs neither root nor a capability then. `ipvsload simulate` and all that reads recordings
needs nothing at all."""
_ROOT = """
As root of the container it also wants the capability SETFCAP, or SYS_ADMIN, NET_ADMIN
and NET_RAW."""


class LabRefusedError(TestbedError):
    """A lab's namespaces may not be made; `reason` is what the kernel said to which step."""

    def __init__(self, reason: str) -> None:
        super().__init__(advice(reason, container.engine(), root=os.geteuid() == 0))
        self.reason = reason


def advice(reason: str, engine: container.Engine | None, *, root: bool) -> str:
    """What a person can do; `engine` is that of the container, if any, `root` who asks in it."""
    if engine is None:
        return _MACHINE.format(reason=reason)
    said = _CONTAINER.format(reason=reason, engine=engine.name, start=engine.start)
    return said + _ROOT if root else said
