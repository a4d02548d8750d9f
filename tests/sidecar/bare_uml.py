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
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "@@ "


def missing() -> str:
    """What this machine lacks for it, or ""."""
    for program in ("linux.uml", "setpriv", "ipvsadm"):
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            return f"{program} is missing (apt install user-mode-linux util-linux ipvsadm)"
    return ""


def run(program: Path, directory: Path, timeout: float = 120) -> dict[str, Any]:
    """Boots, runs `program`, and returns what it reported: {name: value}.

    `directory` is a scratch directory. Raises RuntimeError, with the console's
    end, where the guest did not report "done".
    """
    init = directory / "init"
    init.write_text(
        "#!/bin/sh\n"
        "export PATH=/usr/sbin:/sbin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 "
        f"PYTHONPATH={Path(__file__).parent}\n"
        f"exec {sys.executable} {program}\n"
    )
    init.chmod(0o755)
    console = _boot(init, directory, timeout)
    found: dict[str, Any] = {}
    for line in console.splitlines():
        _, mark, rest = line.partition(MARK)
        if mark:
            found.update(json.loads(rest))
    if "done" not in found:
        raise RuntimeError("the guest did not finish; its console ends:\n" + console[-4000:])
    return found


def _boot(init: Path, directory: Path, timeout: float) -> str:
    command = [
        *("setpriv", "--pdeathsig", "KILL", "linux.uml", "mem=512M", "root=/dev/root"),
        *("rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", "con=null", "con0=fd:0,fd:1"),
        *("quiet", f"uml_dir={directory}/uml"),
    ]
    machine = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = machine.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(machine.pid, signal.SIGKILL)
        output, _ = machine.communicate()
    finally:
        # Its helper processes, if it left any; after a clean halt there are none.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()
    return output.decode(errors="replace")


# Inside the guest


def prepare() -> None:
    """Mounts /proc, /sys and a tmpfs on /run, by system call: mount(8) is set-uid."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
        if libc.mount(kind.encode(), target.encode(), kind.encode(), 0, None) != 0:
            raise OSError(ctypes.get_errno(), f"mounting {target}")
    release = os.uname().release
    modules = Path("/run/root/lib/modules")
    modules.mkdir(parents=True)
    (modules / release).symlink_to(f"/usr/lib/uml/modules/{release}")


def modprobe(*names: str) -> None:
    """Loads modules, out of the place where user-mode Linux has them."""
    subprocess.run(["modprobe", "-d", "/run/root", "-a", *names], check=True)


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
