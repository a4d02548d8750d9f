"""A director's kernel as a child of the supervisor: tried by one provider after another."""

import contextlib
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.kernels.base import Attempt, KernelProvider, Place
from ipvsload.testbed.lab.process_loop import ProcessLoop

_LOG_LINES = 30
_CHUNK = 65_536


class DirectorKernel:
    """One director: tries `kernels` in their order until one is ready.

    `namespace` is the director's network namespace, `home` the supervisor's.
    `tell` sends the owner an event and what belongs to it.
    """

    def __init__(
        self,
        place: Place,
        kernels: Sequence[KernelProvider],
        namespace: int,
        home: int,
        loop: ProcessLoop,
        tell: Callable[..., None],
    ) -> None:
        self._namespace, self._home = namespace, home
        self.loop = loop
        self.tell = tell
        self.reasons: list[str] = []
        """Why each attempt until now has failed."""
        self._attempts = self._all_attempts(place, kernels)
        self.try_next()

    def _all_attempts(self, place: Place, kernels: Sequence[KernelProvider]) -> Iterator[Attempt]:
        for kernel in kernels:
            reason = kernel.missing()
            try:
                if reason is None:
                    yield from kernel.attempts(place)
            except (OSError, RuntimeError) as error:
                reason = str(error)
            if reason is not None:
                self.reasons.append(f"{kernel.name}: {reason}")

    def try_next(self) -> None:
        """Make the next attempt; the one before has ended."""
        ns.setns(self._namespace)
        attempt = next(self._attempts, None)
        if attempt is None:
            self.tell("no-kernel", reasons=self.reasons)
        else:
            _Running(attempt, self)
        ns.setns(self._home)


class _Running:
    """The process of one attempt, until it has ended."""

    def __init__(self, attempt: Attempt, director: DirectorKernel) -> None:
        self._attempt = attempt
        self._director = director
        self._ready = False
        self._mute = True
        self._reason = ""
        self._partial = b""
        self._log: deque[str] = deque(maxlen=_LOG_LINES)

        self._process = subprocess.Popen(
            attempt.argv,
            env={**os.environ, **attempt.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
            pass_fds=attempt.descriptors,
            preexec_fn=attempt.prepare,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        director.loop.watch(self._output.fileno(), self._read)
        director.loop.on_exit(self._process, self._ended)
        if attempt.first_line:
            director.loop.call_later(attempt.first_line_within, self._end_mute)

    def _read(self) -> None:
        if self._output.closed:  # its death and its last lines came at once
            return
        while chunk := self._output.read(_CHUNK):
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                self._read_line(line.decode(errors="replace").strip())
        if chunk == b"":
            self._director.loop.forget(self._output.fileno())
            self._output.close()

    def _read_line(self, text: str) -> None:
        message: dict[str, Any] = {}
        if text.startswith("{"):
            with contextlib.suppress(ValueError):  # the kernel prints on the same console
                message = json.loads(text)
        if "ready" in message:
            self._ready = True
            self._log.clear()  # what was printed at boot does not explain a later death
            if self._attempt.when_ready:
                self._attempt.when_ready(self._process.pid)
            provider = self._attempt.label.partition("/")[0]
            self._director.tell("ready", kernel={"provider": provider, **message["ready"]})
        elif "unavailable" in message:
            self._reason = message["unavailable"]
        else:
            if self._attempt.first_line in text:
                self._mute = False
            self._log.append(text)

    def _end_mute(self) -> None:
        if self._mute:
            self._reason = f"the machine said nothing for {self._attempt.first_line_within:g} s"
            self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # a guest has helpers

    def _ended(self, status: int) -> None:
        self._mute = False
        self._input.close()
        self._kill()
        self._read()
        log = list(self._log)
        if self._ready:
            self._director.tell("died", who="the director's kernel", status=status, log=log)
            return
        unexplained = f"it ended with status {status} before it was ready"
        if log:
            unexplained += f": {'; '.join(log[-3:])}"
        self._director.reasons.append(f"{self._attempt.label}: {self._reason or unexplained}")
        # Only now: the next attempt may need what this one had.
        self._director.try_next()
