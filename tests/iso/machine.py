"""A virtual machine with a serial console, to type on and to read."""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ipvsload.testbed.lab.kernels import qemu
from tests.patience import HUNG_AFTER_S

PROMPT = "director # "


class Console:
    """What the machine says, and what is typed to it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.said = ""

    def until(self, words: str) -> str:
        """What it says up to `words`; fails when they do not come."""
        assert self._process.stdout
        begun = len(self.said)
        deadline = time.monotonic() + HUNG_AFTER_S
        while words not in self.said[begun:]:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, left))
            chunk = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            assert chunk, f"waited for {words!r} in vain; so far:\n{self.said[-2000:]}"
            self.said += chunk.decode(errors="replace")
        return self.said[begun:]

    def ask(self, command: str) -> str:
        """Run a command at the shell; what it prints."""
        assert self._process.stdin
        # The echo of what is typed must not be taken for the end.
        self._process.stdin.write(f"{command}; echo EN''D\n".encode())
        end = f"END\r\n{PROMPT}"  # typed before the prompt, a command is echoed twice
        return self.until(end).partition("\n")[2].removesuffix(end)

    def power_off(self) -> int:
        """The machine's own way down; QEMU's exit status."""
        assert self._process.stdin
        self._process.stdin.write(b"poweroff\n")
        return self._process.wait(HUNG_AFTER_S)


BOARDS = {
    "x86_64": ("-machine", "pc"),
    "aarch64": (
        *("-machine", "virt", "-cpu", "max,pauth-impdef=on"),
        *("-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"),
    ),
}
"""What boots a CD, by the kind of processor."""


@contextmanager
def booted(processor: str, *words: str) -> Iterator[Console]:
    """QEMU without KVM, with its serial console on a Console; killed at the end if need be."""
    process = subprocess.Popen(
        [
            *(qemu.PROCESSORS[processor].program, *BOARDS[processor]),
            *("-accel", "tcg", "-m", "512M", "-nodefaults"),
            *("-display", "none", "-serial", "stdio", "-no-reboot", *words),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
    )
    try:
        yield Console(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.stdout.close()
