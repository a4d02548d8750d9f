"""What whoever started the sidecar writes to its stdin, a line each."""

_LONGEST_COMMAND = 4096


class Commands:
    """Puts lines together from the chunks that arrive on stdin."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes, without their ends; one that is too long is dropped."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_COMMAND:
            self._rest = b""
        return [line.decode(errors="replace").strip() for line in whole]
