"""How the supervisor comes to be process 1 of a lab, and ends with its owner.

Run as `python -m ipvsload.testbed.lab.bootstrap SOCKET PARENT`: the descriptor
of a socket to the owner, and the owner's process id. The first process enters
the namespaces and waits; its child is the supervisor. Each of the two is killed
by the kernel when its parent ends.
"""

import json
import os
import signal
import socket
import sys
from typing import NoReturn

from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.plan import MAX_MESSAGE, LabPlan
from ipvsload.testbed.lab.process_loop import IGNORED_SIGNALS
from ipvsload.testbed.lab.supervisor import Supervisor


def main() -> NoReturn:
    """Enter new namespaces and become the supervisor in them."""
    # Ordinary users' PATH has no /usr/sbin on Debian, where ip and modprobe are.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"
    owner = socket.socket(fileno=int(sys.argv[1]))
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    plan = LabPlan.decode(owner.recv(MAX_MESSAGE))
    read_end, write_end = os.pipe()
    try:
        if os.geteuid() != 0:
            ns.become_root_in_user_namespace()
        # Only now: new rights make the kernel forget it (kernel/cred.c, commit_creds).
        ns.die_with_parent(int(sys.argv[2]))
        ns.unshare(ns.CLONE_NEWNS | ns.CLONE_NEWPID | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS)
    except OSError as error:
        _fail(owner, "not-permitted", error.strerror)
    child = os.fork()
    if child:
        owner.close()
        os.close(read_end)
        _pid, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os.close(write_end)
    ns.die_with_parent(0)  # 0: the parent is outside of the PID namespace
    try:
        Supervisor(owner, read_end, plan).run()
    except Exception as error:
        _fail(owner, "failed", str(error) if isinstance(error, RuntimeError) else f"{error!r}")


def _fail(owner: socket.socket, event: str, reason: str | None) -> NoReturn:
    owner.send(json.dumps({"event": event, "reason": reason}).encode())
    os._exit(1)


if __name__ == "__main__":
    main()
