import platform
import socket

from ipvsload.described_machine import described_machine


def test_it_is_this_machine_and_nobodys_name() -> None:
    machine = described_machine()
    assert machine.processor
    assert machine.cores
    assert machine.memory_gib
    assert machine.kernel == platform.release()
    assert machine.versions["python"] == platform.python_version()
    assert {"gevent", "locust", "pyroute2"} <= set(machine.versions)
    told = {machine.processor, machine.kernel, *machine.versions.values()}
    assert socket.gethostname() not in told
