"""Virtual services by iptables and nftables, made and changed by their own programs.

The programs are the ones that kube-proxy runs. Beginning one takes 40 ms and more in a
guest: nothing here is for while packets wait.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ipvsload.ipvs.keys import split_endpoint, split_key
from ipvsload.netfilter.conntrack import Conntrack, EndedUnanswered
from ipvsload.netfilter.conntrack_settings import set_as_on_a_node
from ipvsload.netfilter.nat_kinds import NAT_KINDS
from ipvsload.netfilter.nat_service import Changes, NatService

_WITHIN = 60.0
LOOK_UP = "chosen_servers"
CHANGES = (
    *("missing", "add_service", "delete_service"),
    *("add_server", "set_weight", "delete_server", LOOK_UP),
)
"""What may be asked of NatServices from outside, by name."""


class NatError(Exception):
    """A program did not do what it was asked to; the message says what it said."""


class NatServices:
    """The services of this network namespace, each by its key ("tcp 192.0.2.80:80").

    Keys and addresses are texts as ipvs/keys.py describes them.
    """

    def __init__(self) -> None:
        self._services: dict[str, tuple[str, NatService]] = {}
        self._conntrack: Conntrack | None = None
        self._ended: EndedUnanswered | None = None

    def missing(self, key: str, names: Sequence[str]) -> dict[str, str]:
        """Which of these balancers this kernel cannot be, and why.

        Each is tried with a service `key` that nobody else may use.
        """
        why = {}
        for name in names:
            try:
                self.add_service(key, name, {"192.0.2.1:1": 1, "192.0.2.2:1": 1})
            except (NatError, OSError) as error:
                why[name] = str(error)
            with suppress(NatError, KeyError):
                self.delete_service(key)
        return why

    def add_service(self, key: str, balancer: str, weights: Mapping[str, int]) -> None:
        """Make the service with its servers. What was tracked until now is forgotten.

        Raises NatError.
        """
        host, port = split_endpoint(split_key(key).target)
        if ":" in host:
            raise NatError("its rules are written for IPv4 only")
        service = NatService(host, port, {})
        self._services[key] = balancer, service
        self._write(key, service._replace(weights=dict(weights)), new=list(weights))
        set_as_on_a_node()
        if self._conntrack is None or self._ended is None:
            self._conntrack, self._ended = Conntrack(), EndedUnanswered()
        self._conntrack.forget_all()
        self._ended.clear()

    def delete_service(self, key: str) -> None:
        """Remove it; with the last one nothing is left that connections are tracked for."""
        balancer, service = self._services.pop(key)
        rules = NAT_KINDS[balancer].rules
        others = (NAT_KINDS[other].rules.program for other, _ in self._services.values())
        if rules.program in others:
            empty = service._replace(weights={})
            self._run(rules.program, rules.write(self._changes(empty, gone=list(service.weights))))
        else:
            for command in rules.clear:
                self._run(command, "")
            if _own_kernel():  # else the tables of all network namespaces would go
                for module in rules.modules_to_remove:
                    with suppress(NatError):  # another namespace uses it
                        self._run(("rmmod", module), "")
        if self._conntrack is not None:
            self._conntrack.forget_all()

    def add_server(self, key: str, address: str, weight: int) -> None:
        """Have a server join."""
        self._change(key, {address: weight}, new=[address])

    def set_weight(self, key: str, address: str, weight: int) -> None:
        """Draw the server (1), or do not (0); its connections stay."""
        self._change(key, {address: weight})

    def delete_server(self, key: str, address: str) -> None:
        """Take it out; its connections stay, as with kube-proxy."""
        _, service = self._services[key]
        rest = {one: weight for one, weight in service.weights.items() if one != address}
        self._write(key, service._replace(weights=rest), gone=[address])

    def chosen_servers(
        self, vip: str, port: int, clients: Sequence[tuple[str, int]]
    ) -> list[str | None]:
        """For each client the server of its connection; None where the kernel has forgotten it."""
        if self._conntrack is None or self._ended is None:
            return [None] * len(clients)
        conntrack, ended, service = self._conntrack, self._ended, (vip, port)
        return [
            conntrack.server(client, service) or ended.server(client, service)
            for client in ((host, number) for host, number in clients)
        ]

    def _change(self, key: str, weights: Mapping[str, int], new: Sequence[str] = ()) -> None:
        _, service = self._services[key]
        self._write(key, service._replace(weights={**service.weights, **weights}), new=new)

    def _write(
        self, key: str, service: NatService, new: Sequence[str] = (), gone: Sequence[str] = ()
    ) -> None:
        balancer, _ = self._services[key]
        before = self._services[key]
        self._services[key] = balancer, service
        rules = NAT_KINDS[balancer].rules
        try:
            self._run(rules.program, rules.write(self._changes(service, new, gone)))
        except NatError:
            self._services[key] = before
            raise

    def _changes(
        self, changed: NatService, new: Sequence[str] = (), gone: Sequence[str] = ()
    ) -> Changes:
        return Changes([service for _, service in self._services.values()], changed, new, gone)

    def _run(self, command: Sequence[str], text: str) -> None:
        if shutil.which(command[0]) is None:
            raise NatError(f"no {command[0]} here")
        with _children_waited_for():
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, timeout=_WITHIN, check=False
            )
        if done.returncode:
            said = done.stderr.strip().partition("\n")[0] or f"status {done.returncode}"
            raise NatError(f"{command[0]}: {said.rpartition('Error: ')[2]}")


def _own_kernel() -> bool:
    """Whether the kernel is the director's alone: the agent is its first program."""
    with open("/proc/1/cmdline") as file:
        return ".director_agent" in file.read()


@contextmanager
def _children_waited_for() -> Iterator[None]:
    """The agent ignores its children, and a status that is ignored looks like success."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)
        with suppress(ChildProcessError):  # those that ended meanwhile
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
