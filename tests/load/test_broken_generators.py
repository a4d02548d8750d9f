"""Real generators that are stopped, slowed, or send in bursts: their runs do not count."""

import json
import os
import signal
import subprocess
import sys
import time

from ipvsload.results.arrivals import ArrivalsResult
from tests.load.broken_generator import KEYS
from tests.open_run import judged
from tests.patience import HUNG_AFTER_S

TRAFFIC = ", ".join(f"{key}: {value}" for key, value in KEYS.items())
KINDS = ("stopped", "slow", "bursty")


def started(target: tuple[str, int], kind: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tests.load.broken_generator", *map(str, target), kind]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> ArrivalsResult:
    output, _ = process.communicate(timeout=HUNG_AFTER_S)
    assert process.returncode == 0
    return judged(TRAFFIC, json.loads(output))


def test_they_are_caught(target: tuple[str, int]) -> None:
    processes = {kind: started(target, kind) for kind in KINDS}
    stopped = processes["stopped"]
    assert stopped.stdout
    assert stopped.stdout.readline() == "sending\n"
    time.sleep(0.5)
    os.kill(stopped.pid, signal.SIGSTOP)
    time.sleep(0.3)
    os.kill(stopped.pid, signal.SIGCONT)
    for kind in ("slow", "bursty"):
        assert (stdout := processes[kind].stdout)
        assert stdout.readline() == "sending\n"
    found = {kind: told(process) for kind, process in processes.items()}
    assert {kind: one.verdict for kind, one in found.items()} == dict.fromkeys(
        KINDS, "not believed"
    )

    def faults(kind: str, says: str) -> list[str]:
        return [fault for fault in found[kind].faults if says in fault]

    assert faults("stopped", "the generator stood still: a request was sent ")
    assert faults("slow", "the generator was late: p99 of lateness is ")
    assert faults("bursty", "not poisson, as was asked for: dispersion of counts ")
    # A burst is not late: its plan is what is wrong.
    assert faults("bursty", "not poisson, as was asked for: gaps ")
