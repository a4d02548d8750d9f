"""A program of the tests that is started many times: forked from a process that has its imports.

They take a second of a processor each time, and are not what these tests are about.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.patience import HUNG_AFTER_S

_CONTEXT = multiprocessing.get_context("forkserver")
# What these import when they run is named, too.
_CONTEXT.set_forkserver_preload(
    [
        "tests.external.lifecycle",
        "tests.kubernetes.lifecycle",
        "kubernetes.client",
        "kubernetes.config",
    ]
)


def start(module: str, *arguments: str, stderr: Path | None = None) -> ForkServerProcess:
    """`python -m MODULE ARGUMENTS...` with the environment of now; its errors into a file."""
    process = _CONTEXT.Process(target=_run, args=(module, arguments, dict(os.environ), stderr))
    process.start()
    return process


def status(process: ForkServerProcess) -> int:
    """Waits for its end; as of subprocess."""
    process.join(HUNG_AFTER_S)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def _run(
    module: str, arguments: tuple[str, ...], environment: Mapping[str, str], stderr: Path | None
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if stderr:
        with stderr.open("wb") as file:
            os.dup2(file.fileno(), 2)
    sys.argv = [module, *arguments]
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
