"""Locust's command in a process of its own, as people start it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.load.real import free_port
from tests.patience import HUNG_AFTER_S

ROOT = Path(__file__).parents[2]
LOCUSTFILES = ROOT / "locustfiles"


class Command:
    """`locust -f FILE WORDS...` in a directory of its own; its output is in `log`.

    Without "--headless" among the words it serves its page at `url`.
    """

    def __init__(
        self,
        directory: Path,
        file: Path,
        *words: str,
        environment: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self._log = directory / "locust.log"
        argv = [*before, sys.executable, "-m", "locust", "-f", str(file), *words]
        if "--headless" not in words:
            page = free_port("127.0.0.1")
            argv += ["--web-host", "127.0.0.1", "--web-port", str(page)]
            self.url = f"http://127.0.0.1:{page}"
        if "--processes" in words or "--master" in words:
            self.master_port = port = str(free_port("0.0.0.0"))
            argv += ["--master-bind-port", port, "--master-port", port]
        with self._log.open("w") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=directory,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What it printed until now."""
        return self._log.read_text()

    def wait(self) -> int:
        """Its exit status."""
        return self.process.wait(HUNG_AFTER_S)

    def until(self, said: str) -> None:
        """Wait until it has printed this."""
        self.eventually(lambda: said in self.log, f"{said!r} in the log")

    def eventually(self, condition: Any, what: str = "") -> Any:
        """Wait until the condition is true, and return what it gave."""
        deadline = time.monotonic() + HUNG_AFTER_S
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited for {what}; the log:\n{self.log}"
            assert self.process.poll() is None, f"waited for {what}; it ended:\n{self.log}"
            time.sleep(0.05)
        return found

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ask(
        self, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of a request to its page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named)
        try:
            with urllib.request.urlopen(request, timeout=HUNG_AFTER_S) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read().decode()

    def serving(self) -> bool:
        """Whether its page answers."""
        try:
            return self.ask("/")[0] == 200
        except OSError:
            return False

    def swarm(self, **form: str) -> dict[str, Any]:
        """Press Start."""
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        found: dict[str, Any] = json.loads(self.ask("/swarm", body)[2])
        return found

    def control(self, **action: Any) -> tuple[int, dict[str, Any]]:
        """Use the page's controls."""
        body = json.dumps(action).encode()
        status, _, text = self.ask("/ipvs/control", body, Content_Type="application/json")
        return status, json.loads(text)

    def frame(self) -> dict[str, Any]:
        """All that a viewer who has seen nothing gets."""
        found: dict[str, Any] = json.loads(self.ask("/ipvs/frame?epoch=-1&after=-1")[2])
        return found

    def state(self) -> str:
        """Locust's word for what it does."""
        state: str = json.loads(self.ask("/stats/requests")[2])["state"]
        return state

    def results(self) -> dict[str, Any]:
        """The results of its only recorded run."""
        (path,) = self.directory.glob("runs/*/results.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def __enter__(self) -> "Command":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
