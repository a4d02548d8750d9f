"""Where the time of a new connection goes in the lab: processor time of each part, and packets.

Run as `python -m benchmarks.lab_throughput`, as root, with the name of a kernel if not the first
that works. All variants are measured in turn; what does not depend on the machine's other work is
the processor time. The director's is that of its process: it includes this machine's kernel, which
hands each packet that the director sends to the client or the server at once.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.servers import below_us, real_servers_process
from benchmarks.versus import errors, ours
from ipvsload.ipvs.keys import join_key
from ipvsload.scenario.model import Traffic
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets, plain_socket
from ipvsload.testbed.lab.director_client import DirectorClient
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import VIP, Topology

ROUNDS = 5
REQUESTS = 8_000
USERS = 20
SERVERS = 4
CLIENTS = 8
NGINX_PORT, FIXED_PORT, DIRECT_PORT = 8_080, 8_081, 8_082
NGINX = """\
daemon off; master_process off; worker_processes 1; error_log /dev/null; pid {0}/pid;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0};
uwsgi_temp_path {0}; scgi_temp_path {0}; keepalive_timeout 0;
server {{ {1} return 200 "{{}}\\n"; }} }}
"""
_CLASS = Traffic(users=USERS, requests=REQUESTS)
_TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Of one round: requests a second, and processor time in us a connection."""

    rate: float
    user: dict[str, float]
    system: dict[str, float]
    packets: float


def main() -> None:
    """Measure in turn, print medians."""
    kernel = sys.argv[1] if sys.argv[1:] else "auto"
    with ExitStack() as undo:
        topology = Topology(servers=SERVERS, clients=CLIENTS)
        testbed = LabTestbed(topology, kernel=kernel)
        undo.callback(testbed.close)
        testbed.start()
        testbed.wait_ready()
        control = DirectorClient(plain_socket(testbed.socket_broker))
        undo.callback(control.close)
        servers = real_servers_process()
        inside = ["nsenter", "-t", str(servers), "-n"]
        directory = undo.enter_context(tempfile.TemporaryDirectory())
        hosts = topology.server_hosts
        listens = " ".join(f"listen {host}:{NGINX_PORT} backlog=4096;" for host in hosts)
        Path(directory, "nginx.conf").write_text(NGINX.format(directory, listens))
        nginx = undo.enter_context(running([*inside, "nginx", "-c", f"{directory}/nginx.conf"]))
        addresses = [f"{host}:{FIXED_PORT}" for host in hosts]
        fixed = [sys.executable, "-m", "benchmarks.fixed_server"]
        minimal = undo.enter_context(running([*inside, *fixed, *addresses]))
        address = f"127.91.3.1:{DIRECT_PORT}"
        alone = undo.enter_context(running([*fixed, address]))
        for port in (NGINX_PORT, FIXED_PORT):
            key = join_key(VIP, port)
            control.ask("add_service", key=key, scheduler="rr")
            for host in hosts:
                name = f"{host}:{port}"
                control.ask("add_server", key=key, address=name, weight=1, forwarding="masq")
        through = partial(measure, testbed)
        variants: dict[str, Callable[[], Cost]] = {
            "loopback, fixed answer": partial(measure, None, ("127.91.3.1", DIRECT_PORT), alone),
            "director, fixed answer": partial(through, (VIP, FIXED_PORT), minimal),
            "director, nginx": partial(through, (VIP, NGINX_PORT), nginx),
            "director, the lab's servers": partial(run, testbed, servers),
            "  the same, with the witness": partial(watched, testbed, servers),
            "  the same, sampled at 10 Hz": partial(sampled, testbed, servers),
        }
        found: dict[str, list[Cost]] = {name: [] for name in variants}
        for number in range(ROUNDS):
            names = list(variants) if number % 2 else list(reversed(variants))
            for name in names:
                found[name].append(variants[name]())
        table(testbed.kernel["provider"], found)


def run(testbed: LabTestbed, servers: int) -> Cost:
    """One round with the lab's own servers, in a service of its own."""
    target = testbed.begin(ServiceSpec("rr", (1,) * SERVERS)).target
    cost = measure(testbed, (target.host, target.port), servers)
    testbed.end()
    return cost


def watched(testbed: LabTestbed, servers: int) -> Cost:
    """The same while the witness sees the packets."""
    service = testbed.begin(ServiceSpec("rr", (1,) * SERVERS))
    assert testbed.packet_watch
    testbed.packet_watch.begin(service)
    cost = measure(testbed, (service.target.host, service.target.port), servers)
    testbed.packet_watch.end()
    testbed.end()
    return cost


def sampled(testbed: LabTestbed, servers: int) -> Cost:
    """The same while the sidecar reads the table."""
    pipe = testbed.open_samples(10)
    cost = run(testbed, servers)
    pipe.close()
    return cost


def measure(testbed: LabTestbed | None, target: tuple[str, int], servers: int) -> Cost:
    """One round against a target that these servers serve."""
    director = kernel_processes() if testbed else []
    parts = {"load": [os.getpid()], "director": director, "servers": [servers]}
    packets = carried(director)
    before = {name: worked(pids) for name, pids in parts.items()}
    sockets = LabSockets(testbed.socket_broker) if testbed else None
    rate, records, _ = ours(target, _CLASS, sockets)
    after = {name: worked(pids) for name, pids in parts.items()}
    if sockets:
        sockets.close()
    assert not errors(records), errors(records)
    user, system = (
        {name: (after[name][n] - before[name][n]) / _TICK / REQUESTS * 1e6 for name in parts}
        for n in (0, 1)
    )
    return Cost(rate, user, system, (carried(director) - packets) / REQUESTS)


def worked(pids: list[int]) -> tuple[int, int]:
    """Ticks of these processes in user mode and in the kernel."""
    ticks = [0, 0]
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks[0] += int(fields[11])
        ticks[1] += int(fields[12])
    return ticks[0], ticks[1]


def kernel_processes() -> list[int]:
    """Those of the director's kernel, the first one first; none where it is this machine's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            program = path.read_bytes().partition(b"\0")[0]
        except OSError:  # it has just ended
            continue
        pid = int(path.parent.name)
        if (program == b"linux.uml" or program.startswith(b"qemu-system")) and below_us(pid):
            found.append(pid)
    return sorted(found)


def carried(director: list[int]) -> int:
    """Packets at the director's ends of both cables until now, each counted where it comes."""
    if not director:
        return 0
    text = Path(f"/proc/{director[0]}/net/dev").read_text()
    lines = (line.split(":") for line in text.splitlines()[2:])
    return sum(int(line[1].split()[1]) for line in lines if line[0].strip() in ("d0", "d1"))


@contextmanager
def running(command: list[str]) -> Iterator[int]:
    """A program's process id, while it runs."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    if "benchmarks.fixed_server" in command:
        process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def table(provider: str, found: dict[str, list[Cost]]) -> None:
    """Medians over the rounds."""
    print(f"A new connection each ({provider}), {USERS} users, {ROUNDS} rounds in turn; medians")
    print(
        f"{'processor time, us a connection':32} {'load':>7} {'director':>9} {'servers':>8}", end=""
    )
    print(f" {'all':>7} {'packets':>8} {'requests/s':>11}")
    for name, rounds in found.items():
        spent = {
            part: statistics.median(one.user[part] + one.system[part] for one in rounds)
            for part in ("load", "director", "servers")
        }
        packets = statistics.median(one.packets for one in rounds)
        rate = statistics.median(one.rate for one in rounds)
        print(
            f"{name:32} {spent['load']:7.1f} {spent['director']:9.1f} {spent['servers']:8.1f}"
            f" {sum(spent.values()):7.1f} {packets:8.1f} {rate:11,.0f}"
        )


if __name__ == "__main__":
    main()
