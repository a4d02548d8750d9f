"""The image as it runs, under the least that each use of it needs.

`make test` builds it first (`make image`).
"""

import json
import re
import subprocess
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.patience import HUNG_AFTER_S

ENGINE = "deploy/engine"
VERSION = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
IMAGE = f"localhost/ipvsload:{VERSION}"
NOTHING = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
"""What deploy/kubernetes gives a pod: no more can be taken from a container."""
WHATEVER_HAPPENS = ("--rm", f"--timeout={HUNG_AFTER_S - 20}")
"""A container ends and is gone, also when nobody waits for it any more."""
BUILT = Path("build/image/built")

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not BUILT.exists(), reason="there is no image: make image"),
]


def run(*words: str, flags: Sequence[str] = NOTHING) -> "subprocess.CompletedProcess[str]":
    command = [ENGINE, "run", *WHATEVER_HAPPENS, *flags, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=HUNG_AFTER_S)


def test_the_lab_runs_in_it_without_root_and_without_a_capability() -> None:
    flags = *NOTHING, "--security-opt", "unmask=ALL"
    command = (
        "ipvsload run skew --scheduler lc --out /tmp/run >&2 && id -u && cat /tmp/run/results.json"
    )
    done = run("--entrypoint", "sh", IMAGE, "-c", command, flags=flags)
    assert done.returncode == 0, done.stderr
    user, rest = done.stdout.split("\n", 1)
    assert user == "65532"
    results = json.loads(rest)
    assert results["verdict"] == "held"
    assert results["runs"][0]["kernel"]["provider"] == "uml"


def test_what_the_engine_must_permit_is_said() -> None:
    done = run(IMAGE, "lab", "--", "true")
    assert done.returncode == 3
    assert "podman run --security-opt unmask=ALL" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_model_needs_nothing_and_tools_stayed_behind() -> None:
    tools = "! command -v pip && ! command -v gcc && ! command -v cc"
    command = f"{tools} && ipvsload simulate skew --out /tmp/run && ipvsload report /tmp/run"
    done = run("--entrypoint", "sh", IMAGE, "-c", command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("HELD") == 2


# Answers whatever is asked for, after no time.
SERVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    log_message = print
ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
"""


def test_locusts_master_and_worker_need_nothing() -> None:
    name = f"ipvsload-{uuid4().hex}"
    locust = "--entrypoint", "locust", IMAGE, "--locustfile=locustfiles/mixed.py"
    load = "--headless", "--users=4", "--spawn-rate=4", "--run-time=2s", "--expect-workers=1"
    master = subprocess.Popen(
        [ENGINE, "run", *WHATEVER_HAPPENS, "--name", name, *NOTHING, *locust, "--master", *load,
         "--host=http://127.0.0.1:8000"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with master:
        try:
            state = [ENGINE, "inspect", "--format", "{{.State.Running}}", name]
            while subprocess.run(state, capture_output=True, text=True).stdout.strip() != "true":
                assert master.poll() is None, master.communicate()[0]
                time.sleep(0.1)
            worker = "locust --worker --locustfile=locustfiles/mixed.py"
            both = f"python3 -c '{SERVER}' > /dev/null & exec {worker}"
            joined = *NOTHING, "--network", f"container:{name}"
            done = run("--entrypoint", "sh", IMAGE, "-c", both, flags=joined)
            said, _ = master.communicate(timeout=HUNG_AFTER_S)
        finally:
            subprocess.run([ENGINE, "rm", "--force", "--ignore", name], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert master.returncode == 0, said
    total = re.findall(r"Aggregated +(\d+) +0\(0\.00%\)", said)
    assert total, said
    assert int(total[-1]) > 10
