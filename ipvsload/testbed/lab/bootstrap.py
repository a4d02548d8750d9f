"""How the supervisor comes to be process 1 of a lab, and ends with its owner.

Run as `python -m ipvsload.testbed.lab.bootstrap SOCKET OWNER TOPOLOGY
KERNEL SCHEDULER...`: the descriptor of a socket to the owner, the owner's
process id, and the lab that it wants, whose topology is JSON. The first process enters the
namespaces and waits; its child is the supervisor. Each of the two is killed by
the kernel when its parent ends.
"""

import contextlib
import json
import os
import signal
import socket
import sys
from typing import NoReturn

from ipvsload.testbed.lab import descriptor_messages
from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.supervisor import Supervisor
from ipvsload.testbed.lab.topology import Topology


def main() -> NoReturn:
    """Enter new namespaces and become the supervisor in them."""
    # Ordinary users' PATH has no /usr/sbin on Debian, where ip and modprobe are.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"
    descriptor, owner_pid = map(int, sys.argv[1:3])
    topology = Topology(**json.loads(sys.argv[3]))
    kernel, *schedulers = sys.argv[4:]
    owner = socket.socket(fileno=descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        # A terminal's Ctrl-C arrives here too; the owner decides what ends. Not SIG_IGN,
        # which the programs that are started here would keep.
        signal.signal(number, lambda *_: None)
    read_end, write_end = os.pipe()
    try:
        if not ns.is_root_of_namespaces():
            ns.become_root_in_user_namespace()
        # Only now: new rights make the kernel forget it (kernel/cred.c, commit_creds).
        ns.die_with_parent(owner_pid)
        ns.unshare(ns.CLONE_NEWNS | ns.CLONE_NEWPID | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS)
    except OSError as error:
        _fail(owner, "not-permitted", _words(error))
    child = os.fork()
    if child:
        owner.close()
        os.close(read_end)
        _pid, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os.close(write_end)
    ns.die_with_parent(0)  # 0: the parent is outside of the PID namespace
    try:
        Supervisor(owner, read_end, topology, kernel, schedulers, processor=owner_pid).run()
    except PermissionError as error:
        _fail(owner, "not-permitted", _words(error))
    except Exception as error:
        _fail(owner, "failed", str(error) if isinstance(error, RuntimeError) else f"{error!r}")


def _words(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror}"


def _fail(owner: socket.socket, event: str, reason: str) -> NoReturn:
    with contextlib.suppress(OSError):  # the owner may have ended
        descriptor_messages.send(owner, {"event": event, "reason": reason})
    os._exit(1)


if __name__ == "__main__":
    main()
