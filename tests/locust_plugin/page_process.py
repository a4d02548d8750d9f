"""`page_server.py` as a process, for tests: started, told things, and ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.patience import HUNG_AFTER_S


class Served:
    """A page that is served; `url` is Locust's, without a slash at its end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.url = self._answer()

    def tell(self, line: str) -> str:
        """One line of page_server.py's, and its answer."""
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """See `python -m tests.locust_plugin.page_server --help`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.locust_plugin.page_server", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Served(process)
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(HUNG_AFTER_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
