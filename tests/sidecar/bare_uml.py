"""A user-mode Linux that runs one Python program as its init and gives back what it said.

No network, no lab: only a kernel of our own with IPVS in it. The machine's
root is the guest's, read-only, so the program is run by the interpreter that
runs the tests.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvsload.testbed.lab import wide_registers

MARK = "@@ "


def missing() -> str:
    """What this machine lacks for it, or ""."""
    for program in ("linux.uml", "setpriv", "ipvsadm"):
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            return f"{program} is missing (apt install user-mode-linux util-linux ipvsadm)"
    return ""


def run(
    program: Path, directory: Path, timeout: float = 120, memory: str = "512M"
) -> dict[str, Any]:
    """Boots, runs `program`, and returns what it reported: {name: value}.

    Each report also sets "cpu NAME" for its names: the seconds of CPU that the
    guest had taken of the machine by then. `directory` is a scratch directory.
    Raises RuntimeError, with the console's end, where the guest did not report
    "done".
    """
    init = directory / "init"
    init.write_text(
        "#!/bin/sh\n"
        "export PATH=/usr/sbin:/sbin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 "
        f"PYTHONPATH={Path(__file__).parents[2]}\n"
        f"exec {sys.executable} {program}\n"
    )
    init.chmod(0o755)
    found: dict[str, Any] = {}
    console: list[str] = []
    with _boot(init, directory, memory) as machine:
        timer = threading.Timer(timeout, os.killpg, (machine.pid, signal.SIGKILL))
        timer.start()
        try:
            assert machine.stdout
            for line in machine.stdout:
                console.append(line.decode(errors="replace"))
                _, mark, rest = console[-1].partition(MARK)
                if mark:
                    values = json.loads(rest)
                    spent = _cpu(machine.pid)
                    found |= values | {f"cpu {name}": spent for name in values}
        finally:
            timer.cancel()
            # Its helpers too, if any are left; after a clean halt there are none.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(machine.pid, signal.SIGKILL)
    if "done" not in found:
        raise RuntimeError(
            "the guest did not finish; its console ends:\n" + "".join(console)[-4000:]
        )
    return found


def _boot(init: Path, directory: Path, memory: str) -> subprocess.Popen[bytes]:
    command = [
        *("setpriv", "--pdeathsig", "KILL", "linux.uml", f"mem={memory}", "root=/dev/root"),
        *("rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", "con=null", "con0=fd:0,fd:1"),
        *("quiet", f"uml_dir={directory}/uml"),
    ]
    wide = wide_registers.needed()
    if wide:
        command.append(f"GLIBC_TUNABLES={wide_registers.TUNABLES}")
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=wide_registers.hide if wide else None,
    )


def _cpu(group: int) -> float:
    """Seconds of CPU of the processes of this group, and of those that have ended in it."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


# Inside the guest


def prepare() -> None:
    """Mounts /proc, /sys and a tmpfs on /run, by system call: mount(8) is set-uid."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
        if libc.mount(kind.encode(), target.encode(), kind.encode(), 0, None) != 0:
            raise OSError(ctypes.get_errno(), f"mounting {target}")
    release = os.uname().release
    modules = Path("/run/tree/lib/modules")
    modules.mkdir(parents=True)
    (modules / release).symlink_to(f"/usr/lib/uml/modules/{release}")


def modprobe(*names: str) -> None:
    """Loads modules, out of the place where user-mode Linux has them."""
    subprocess.run(["modprobe", "-d", "/run/tree", "-a", *names], check=True)


def report(**values: Any) -> None:
    """Tells the host."""
    sys.stdout.write("\n" + MARK + json.dumps(values) + "\n")
    sys.stdout.flush()


def be_init(work: Callable[[], None]) -> None:
    """Does `work` as the guest's first process, and ends the guest whatever comes of it."""
    import ctypes
    import traceback

    try:
        prepare()
        work()
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    finally:
        sys.stdout.flush()
        ctypes.CDLL(None).reboot(0x4321FEDC)  # RB_POWER_OFF
