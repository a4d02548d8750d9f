"""The lab for real: a kernel with IPVS between two namespaces, and nothing left of it."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ipvsload.testbed.lab import taps
from ipvsload.testbed.lab.kernels import qemu
from ipvsload.testbed.lab.lab import Lab
from ipvsload.testbed.lab.topology import Topology
from tests.leftovers import Marked, command_line, nothing_left
from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

IPVSLOAD = [sys.executable, "-m", "ipvsload"]


@pytest.fixture(params=["uml", "qemu"])
def kernel(request: pytest.FixtureRequest) -> str:
    """A provider that works wherever the tests run; the host's kernel has a test of its own."""
    return str(request.param)


ASK = """
import os, sys, urllib.request
for _ in range(int(sys.argv[1])):
    with urllib.request.urlopen(os.environ["URL"] + "/ip") as answer:
        print(answer.headers["X-Real-Server"])
"""


def lab(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*IPVSLOAD, "lab", "--kernel", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env=env,
    )


def test_rr_shares_by_turns_through_the_kernel(kernel: str) -> None:
    done = lab(kernel, "--scheduler", "rr", "--", sys.executable, "-c", ASK, "10")
    assert done.returncode == 0, done.stderr
    assert Counter(done.stdout.split()) == {"198.51.100.11:80": 5, "198.51.100.12:80": 5}


def test_the_kernels_table_can_be_read_from_inside(kernel: str) -> None:
    script = f"{sys.executable} -c '{ASK}' 4 >/dev/null && {' '.join(IPVSLOAD)} lab exec -- \
        cat /proc/net/ip_vs"
    done = lab(kernel, "--scheduler", "wlc", "--servers", "3", "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    assert "wlc" in done.stdout
    # 192.0.2.80:80 and 198.51.100.11 to .13 on port 80, in the kernel's hexadecimal
    assert "C0000250:0050" in done.stdout
    assert set(re.findall(r"C63364\w\w:0050", done.stdout)) == {
        "C633640B:0050",
        "C633640C:0050",
        "C633640D:0050",
    }


@pytest.mark.parametrize(
    ("command", "status"),
    [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143), (["no-such-program"], 127)],
)
def test_the_exit_status_is_the_commands(command: list[str], status: int) -> None:
    done = lab("auto", "--", *command)
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_exec_carries_streams_and_status_both_ways(kernel: str) -> None:
    inner = (
        f"echo into | {' '.join(IPVSLOAD)} lab exec -- sh -c 'cat; echo err >&2; exit 5'; echo =$?"
    )
    done = lab(kernel, "--", "sh", "-c", inner)
    assert done.stdout == "into\n=5\n"
    assert "err" in done.stderr


def test_ipvsload_is_found_inside_and_beside_the_table_without_an_environment(kernel: str) -> None:
    inner = "ipvsload --version && ipvsload lab exec -- ipvsload collect --count 2"
    program = Path(sysconfig.get_path("scripts"), "ipvsload")
    done = subprocess.run(
        [program, "lab", "--kernel", kernel, "--", "sh", "-c", inner],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    version, *lines = done.stdout.splitlines()
    assert version.startswith("ipvsload "), done.stderr
    first, *_, last = map(json.loads, lines)
    assert first["node"] == "director"
    assert (last["end"], last["samples"]) == ("count", 2)


def test_exec_outside_a_lab_says_what_to_do() -> None:
    done = lab("auto", "exec", "--", "ipvsadm", "-ln")
    assert done.returncode == 2
    assert "inside a lab" in done.stderr


def test_two_labs_side_by_side_see_only_their_own_load(kernel: str) -> None:
    words = [*IPVSLOAD, "lab", "--kernel", kernel, "--", sys.executable, "-c", ASK]
    both = [
        subprocess.Popen([*words, count], stdout=subprocess.PIPE, text=True)
        for count in ("6", "20")
    ]
    counts = [Counter(process.communicate(timeout=HUNG_AFTER_S)[0].split()) for process in both]
    assert [sum(count.values()) for count in counts] == [6, 20]
    assert all(len(set(count.values())) == 1 for count in counts)


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> Iterator[Marked]:
    with nothing_left(f"{os.getpid()}-{request.node.name}") as found:
        yield found


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0])
def test_sigkill_of_the_parent_leaves_nothing(moment: float, kernel: str, marked: Marked) -> None:
    process = subprocess.Popen(
        [*IPVSLOAD, "lab", "--kernel", kernel, "--", "sleep", "60"],
        env=marked.environment,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_lab_in_order(number: signal.Signals, marked: Marked) -> None:
    process = subprocess.Popen(
        [*IPVSLOAD, "lab", "--", "sh", "-c", "echo up; sleep 60"],
        env=marked.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert process.wait(HUNG_AFTER_S) == 4
    assert process.stderr.read().strip() == "ipvsload: interrupted"
    process.stdout.close()
    process.stderr.close()


def test_the_death_of_the_director_ends_the_lab_with_a_clear_line(
    kernel: str, marked: Marked
) -> None:
    process = subprocess.Popen(
        [*IPVSLOAD, "lab", "--kernel", kernel, "--", "sh", "-c", "echo up; sleep 60"],
        env=marked.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    os.kill(marked.guest(), signal.SIGKILL)
    assert process.wait(HUNG_AFTER_S) == 3
    assert "the director's kernel ended unexpectedly" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("which", [0, 1], ids=["outside", "inside"])
def test_sigkill_of_the_supervisor_leaves_nothing(which: int, kernel: str, marked: Marked) -> None:
    process = subprocess.Popen(
        [*IPVSLOAD, "lab", "--kernel", kernel, "--", "sh", "-c", "echo up; sleep 60"],
        env=marked.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == "up\n"
    # Outside of the lab's PID namespace, and inside of it as its first process.
    found = [pid for pid in marked.processes() if b"lab.bootstrap" in command_line(pid)]
    assert len(found) == 2
    os.kill(sorted(found, key=depth)[which], signal.SIGKILL)
    assert process.wait(HUNG_AFTER_S) == 3
    assert "the lab's supervisor ended unexpectedly" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


def depth(pid: int) -> int:
    """In how many PID namespaces the process is."""
    (line,) = re.findall(r"^NSpid:.*", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return len(line.split())


def test_a_kernel_that_cannot_be_had_is_named_with_its_reason() -> None:
    done = lab("host", "--", "true")
    if done.returncode == 0:
        pytest.skip("this machine's own kernel has IPVS")
    assert done.returncode == 3
    assert re.search(r"host: .*IPVS|host: .*root", done.stderr)
    assert "Traceback" not in done.stderr


def test_it_works_for_an_ordinary_user(kernel: str) -> None:
    if kernel == "qemu" and taps.missing():
        pytest.skip(f"{taps.missing()}")
    # A user namespace without rights outside of it is what such a user is.
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, *IPVSLOAD, "lab", "--kernel", kernel, "--", sys.executable, "-c", ASK, "4"],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    assert Counter(done.stdout.split()) == {"198.51.100.11:80": 2, "198.51.100.12:80": 2}


def test_the_hosts_own_kernel_as_the_director() -> None:
    # Where this machine has no IPVS, a guest that has is the host: a lab in a lab.
    command = [*IPVSLOAD, "lab", "--kernel", "host", "--", sys.executable, "-c", ASK, "4"]
    within = [*IPVSLOAD, "lab", "--kernel", "uml", "--", *IPVSLOAD, "lab", "exec", "--"]
    done = subprocess.run([*within, *command], capture_output=True, text=True, timeout=HUNG_AFTER_S)
    assert done.returncode == 0, done.stderr
    assert Counter(done.stdout.split()) == {"198.51.100.11:80": 2, "198.51.100.12:80": 2}


BLOB = """
import hashlib, os, subprocess, sys
blob = os.urandom(3_000_000)
exec_ = [sys.executable, "-m", "ipvsload", "lab", "exec", "--"]
back = subprocess.run([*exec_, "cat"], input=blob, stdout=subprocess.PIPE).stdout
print("whole" if back == blob else f"{len(back)} bytes")
some = subprocess.run([*exec_, "head", "-c", "5"], input=blob, stdout=subprocess.PIPE).stdout
print(some == blob[:5])
"""


def test_exec_carries_megabytes_both_ways_at_once(kernel: str) -> None:
    done = lab(kernel, "--", sys.executable, "-c", BLOB)
    assert done.stdout.split() == ["whole", "True"], done.stderr


RUDE = """
import os, socket, subprocess, sys
director = os.environ["IPVSLOAD_DIRECTOR"].rsplit(":", 1)
address = director[0], int(director[1])
for words in (b"hello\\n", b"[]\\n", b'{"do": "fly"}\\n', b"{}\\n", b"\\xff\\xfe\\n", b"GET /\\n"):
    with socket.create_connection(address) as rude:
        rude.sendall(words)
half = socket.create_connection(address)
half.sendall(b'{"do": ')
echo = [sys.executable, "-m", "ipvsload", "lab", "exec", "--", "echo", "a" * 90_000]
print(len(subprocess.run(echo, stdout=subprocess.PIPE).stdout))
"""


def test_no_client_can_hurt_the_director(kernel: str) -> None:
    done = lab(kernel, "--", sys.executable, "-c", RUDE)
    assert done.stdout == "90001\n", done.stderr


# Python imports such a module at its start, in the lab's supervisor too.
SITE = """
from ipvsload.testbed.lab.kernels import qemu
qemu.working_accelerators = lambda: ("kvm", "tcg")
"""


def test_a_kvm_that_shows_no_life_is_left_for_tcg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "kvm" in qemu.working_accelerators():
        pytest.skip("KVM looks right on this machine")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("no /dev/kvm to be misled by")
    (tmp_path / "sitecustomize.py").write_text(SITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with closing(Lab(Topology(), kernel="qemu")) as lab:
        lab.wait_ready()
        assert lab.kernel.provider == "qemu"


def test_a_missing_image_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    done = lab("qemu", "--", "true", env={**os.environ, "IPVSLOAD_IMAGE": str(tmp_path)})
    assert done.returncode == 3
    assert f"{tmp_path}/vmlinuz" in done.stderr
    assert "make iso" in done.stderr


def test_a_scheduler_that_the_kernel_lacks_is_found_before_anything_runs(tmp_path: Path) -> None:
    """Debian's user-mode Linux has all but twos; the director image has it."""
    words = ["run", "scenarios/even.yaml", "--kernel", "uml", "--out", str(tmp_path / "run")]
    for scheduler in ("rr", "lc", "twos"):
        words += ["--scheduler", scheduler]
    done = subprocess.run([*IPVSLOAD, *words], capture_output=True, text=True, timeout=HUNG_AFTER_S)
    assert done.returncode == 3, done.stderr
    assert "nothing was run. twos: the lab's kernel (Linux " in done.stderr
    assert "module ip_vs_twos; --kernel qemu has it" in done.stderr
    assert "running" not in done.stderr
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert found["runs"] == []
    assert found["recorded_by"]["machine"]["cores"] == len(os.sched_getaffinity(0))
