"""A director's kernel as a child of the supervisor: tried by one provider after another."""

import contextlib
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.kernels.base import Attempt, Place
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.plan import ReadyKernel
from ipvsload.testbed.lab.process_loop import ProcessLoop, enter_child

_LOG_LINES = 30
_CHUNK = 65_536


class DirectorKernel:
    """One director: tries `kernels` (providers with their variants) until one is ready.

    `namespace` is the director's network namespace, `home` the supervisor's.
    Exactly one of three calls follows: `on_ready`; or `on_failed` with the
    reason of each attempt, when none is left. After `on_ready`, `on_died` with
    the exit status and the last lines may follow.
    """

    def __init__(
        self,
        place: Place,
        kernels: Mapping[str, Sequence[str]],
        namespace: int,
        home: int,
        loop: ProcessLoop,
        *,
        on_ready: Callable[[ReadyKernel], None],
        on_failed: Callable[[list[str]], None],
        on_died: Callable[[int, list[str]], None],
    ) -> None:
        self._namespace = namespace
        self._home = home
        self._loop = loop
        self._on_ready, self._on_failed, self._on_died = on_ready, on_failed, on_died
        self._reasons: list[str] = []
        self._attempts = self._all_attempts(place, kernels)
        self._try_next()

    def _all_attempts(
        self, place: Place, kernels: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, Attempt]]:
        for name, variants in kernels.items():
            provider = KERNELS[name]
            reason = provider.missing()
            if reason is None:
                try:
                    for attempt in provider.attempts(place, variants):
                        yield name, attempt
                except (OSError, RuntimeError) as error:
                    reason = str(error)
            if reason is not None:
                self._reasons.append(f"{name}: {reason}")

    def _try_next(self) -> None:
        ns.setns(self._namespace)
        try:
            name, attempt = next(self._attempts, (None, None))
        finally:
            ns.setns(self._home)
        if name is None or attempt is None:
            self._on_failed(self._reasons)
            return

        def ready(release: str, booted: float) -> None:
            self._on_ready(ReadyKernel(name, release, booted))

        def failed(reason: str) -> None:
            self._reasons.append(f"{attempt.label}: {reason}")
            self._try_next()

        _Running(attempt, self._namespace, self._loop, ready, failed, self._on_died)


class _Running:
    """A kernel that was started by `attempt`, until its process has ended."""

    def __init__(
        self,
        attempt: Attempt,
        namespace: int,
        loop: ProcessLoop,
        on_ready: Callable[[str, float], None],
        on_failed: Callable[[str], None],
        on_died: Callable[[int, list[str]], None],
    ) -> None:
        self._attempt = attempt
        self._loop = loop
        self._on_ready, self._on_failed, self._on_died = on_ready, on_failed, on_died
        self._ready = False
        self._reason = ""
        self._partial = b""
        self._log: deque[str] = deque(maxlen=_LOG_LINES)

        def prepare() -> None:
            enter_child(namespace)
            attempt.prepare()

        self._process = subprocess.Popen(
            attempt.argv,
            env={**os.environ, **attempt.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
            pass_fds=attempt.descriptors,
            preexec_fn=prepare,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        loop.watch(self._output.fileno(), self._read)
        loop.on_exit(self._process, self._ended)
        if attempt.first_line:
            loop.set_deadline(self, attempt.first_line_within, self._end_mute)

    def _read(self) -> None:
        if self._output.closed:  # its death and its last lines came at once
            return
        while chunk := self._output.read(_CHUNK):
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                self._read_line(line.decode(errors="replace").strip())
        if chunk == b"":
            self._loop.forget(self._output.fileno())
            self._output.close()

    def _read_line(self, text: str) -> None:
        try:
            message: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        except ValueError:  # the kernel prints on the same console
            message = {}
        if "ready" in message:
            self._ready = True
            self._log.clear()  # what was printed at boot does not explain a later death
            self._on_ready(message["ready"], message["booted"])
        elif "unavailable" in message:
            self._reason = message["unavailable"]
        else:
            if self._attempt.first_line and self._attempt.first_line in text:
                self._loop.clear_deadline(self)
            self._log.append(text)

    def _end_mute(self) -> None:
        self._reason = f"the machine said nothing for {self._attempt.first_line_within:g} s"
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # a guest has helpers

    def _ended(self, status: int) -> None:
        self._loop.clear_deadline(self)
        self._input.close()
        self._kill()
        self._read()
        if self._ready:
            self._on_died(status, list(self._log))
            return
        said = "; ".join(list(self._log)[-3:])
        # Only now: the next attempt may need what this one had.
        self._on_failed(
            self._reason or f"it ended with status {status} before it was ready: {said}"
        )
