"""The load's sockets in whichever lab is up now: each lab has a socket broker of its own."""

from ipvsload.testbed.lab.broker_client import LabSockets, lab_sockets


class CurrentSockets:
    """Keeps the connection to the broker that was asked last."""

    def __init__(self) -> None:
        self._sockets: LabSockets | None = None

    def of(self, broker: str) -> LabSockets | None:
        """The load's sockets; None where there is no broker. Raises TestbedError."""
        if self._sockets is None or self._sockets.name != broker:
            self.close()
            self._sockets = lab_sockets(broker)
        return self._sockets

    def of_run(self, broker: str) -> LabSockets | None:
        """The same as a run begins: see `LabSockets.begin_run`."""
        sockets = self.of(broker)
        if sockets is not None:
            sockets.begin_run()
        return sockets

    def close(self) -> None:
        """Give back what was not used; calling it again does nothing."""
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None
