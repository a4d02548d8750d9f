"""Explanations: each on a run that it is for, and on one that looks like it and is not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import DirectorSettings, Event, ServerCondition, ServerJoined
from ipvsload.record.format import NO_SERVER, Request, Sample
from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable
from ipvsload.results import kernel_counts
from ipvsload.results.director import director_result
from ipvsload.results.explanations import EXPLANATIONS, explanations
from ipvsload.results.explanations.evidence import RunEvidence
from ipvsload.results.refusals import refused_by
from ipvsload.results.request_counts import RequestCounts
from ipvsload.scenario.balancers import BALANCERS

ROOT = Path(__file__).parents[2]
SERVERS = ("198.51.100.11:80", "198.51.100.12:80", "198.51.100.13:80")
ONE, TWO, THREE = SERVERS


@dataclass(frozen=True)
class Seen:
    """A run of one second: a request each 10 ms, `servers` in turn, `clients` in turn.

    `active` and `persistent` are of each server at the end; `weights` from 0.5 s on,
    and `early` is that of the last one before. Without `table` IPVS does not balance.
    The last forty requests are such as nobody took, where `untaken` says how. The
    kernel has `counted` so many connections of each server at the end. Each of `nodes`
    shows the same table. There are so many `ports`. The last samples lack the
    servers `gone`.
    """

    scheduler: str
    servers: Sequence[str] = SERVERS
    clients: Sequence[str] = ("203.0.113.1",)
    flags: int = 0
    persistent_timeout: int = 0
    active: Sequence[int] = (0, 0, 0)
    persistent: Sequence[int] = (0, 0, 0)
    weights: Sequence[int] = (1, 1, 1)
    early: int = 1
    table: bool = True
    kept: bool = False
    joins_us: Sequence[int] = (0, 0, 0)
    events: Sequence[Event] = field(default=())
    untaken: tuple[str, int, int] | None = None
    counted: int = 33
    nodes: Sequence[str] = ("director",)
    ports: int = 100
    gone: Sequence[str] = ()

    def notes(self) -> list[str]:
        requests = [self._request(number) for number in range(100)]
        joined = zip(SERVERS, self.joins_us, strict=True)
        run = RecordedRun(
            1,
            scheduler=self.scheduler,
            service="tcp 192.0.2.80:80",
            events=[
                *(ServerJoined(1, at, one, i, 1) for i, (one, at) in enumerate(joined, 1)),
                *self.events,
            ],
            samples=[
                replace(self._sample(at, last=at > 0), node=node)
                for at in (0, 500_000)
                for node in self.nodes
            ],
            requests=RequestTable.of(1, requests),
        )
        counts = RequestCounts(run.requests)
        kernel = kernel_counts.count(run.samples, {})
        refusals = refused_by(run.requests, run.samples)
        return list(explanations(RunEvidence(run, counts, kernel, director_result(run), refusals)))

    def _request(self, number: int) -> Request:
        server = self.servers[number % len(self.servers)]
        client = self.clients[number % len(self.clients)]
        reused = self.kept and number >= 4
        lost = server == NO_SERVER
        start, port = number * 10_000, 40_000 + (number % 4 if self.kept else number % self.ports)
        untaken = (self.untaken or ()) if number >= 60 else ()
        return Request(
            1, "short", start, start, 900, 0 if lost else 200, 9, client, port, reused, server,
            "refused" if lost else None, *untaken,
        )  # fmt: skip

    def _sample(self, t_us: int, *, last: bool) -> Sample:
        rows = [
            RealServer(address, weight if last else self.early if address == THREE else 1,
                       active if last else 0, 0, persistent if last else 0,
                       self.counted if last else 0, 0, 0, 0, 0)
            for address, weight, active, persistent in zip(
                SERVERS, self.weights, self.active, self.persistent, strict=True
            )
            if not last or address not in self.gone
        ]  # fmt: skip
        service = VirtualService(
            "tcp 192.0.2.80:80", self.scheduler, self.flags, self.persistent_timeout,
            0, 0, 0, 0, 0, tuple(rows),
        )  # fmt: skip
        return Sample(1, "director", t_us, 900, (service,) if self.table else ())


def _timeouts(tcp: int) -> DirectorSettings:
    return DirectorSettings(1, 0, "director", {"tcp": tcp, "tcp_fin": tcp, "udp": tcp}, {})


USUAL = {"tcp": 900, "tcp_fin": 120}


def _forwarding(name: str) -> DirectorSettings:
    return DirectorSettings(1, 0, "director", USUAL, {}, name)


FOUR_CLIENTS = [f"203.0.113.{number}" for number in range(1, 5)]

CASES = {
    "few_clients": (
        Seen("sh", servers=[TWO]),
        "all 100 connections came from one client address, so sh gives them to one server of 3 at a"
        " time at most",
    ),
    "few_clients of mh": (
        Seen("mh", servers=[ONE, TWO], clients=FOUR_CLIENTS[:2]),
        "100 connections came from 2 client addresses, so mh gives them to 2 servers of 3",
    ),
    "few_clients of a hash without IPVS": (
        Seen("nftables-hash", servers=[TWO]),
        "so nftables-hash gives them to one server of 3 at a time at most: a hash of the client's",
    ),
    "drawn_servers": (
        Seen("iptables", servers=[ONE, TWO, TWO, THREE, THREE]),
        "iptables draws a server for each connection, whatever it has to do: of 100 connections"
        " each of 3 servers got 20 to 40, where chance gives 33, give or take 5. The rule: one"
        " draw after the other",
    ),
    "kept_connections of rules": (
        Seen("nftables", servers=[ONE, TWO], kept=True, joins_us=(0, 0, 300_000)),
        "nftables chooses a server for a connection, not for a request: its rules are shown",
    ),
    "several_directors": (
        Seen("lc", nodes=("director-1", "director-2")),
        "2 directors balanced over the same servers, and each chose by its own connections only: lc"
        " saw a server as idle on one that was busy with those of the other;",
    ),
    "used_ports": (
        Seen(
            "rr", ports=16, events=[DirectorSettings(1, 0, "a", USUAL, {"conn_reuse_mode": 0})]
        ),
        "84 of 100 connections came from a client port whose last one was less than 120 s ago, and"
        " IPVS remembered that: with conn_reuse_mode 0 they followed it to its server",
    ),
    "one_destination": (
        Seen("lblc", servers=[THREE], clients=FOUR_CLIENTS),
        "lblc chooses by the destination address, and that is the virtual address of every"
        " connection: server 3 got 100 of 100",
    ),
    "other_service": (
        Seen("rr", counted=0),
        "none of 100 connections was seen in tcp 192.0.2.80:80: they went to another",
    ),
    "idle_servers": (
        Seen("sed", servers=[THREE]),
        "server 3 got 100 of 100 connections although 2 more had nothing to do: the connections"
        " ended before the next ones came, so all servers were idle at each choice, and of idle"
        " ones the same one wins",
    ),
    "idle_servers of fo": (Seen("fo", servers=[THREE]), "nothing to do: weights decide"),
    "full_servers": (
        Seen("ovf", servers=[ONE, NO_SERVER], clients=FOUR_CLIENTS),
        "50 requests were refused because all servers were full: ovf takes a weight for how many"
        " active connections a server may have, and here it was 1.",
    ),
    "hashed_weight_0": (
        Seen("sh", servers=[ONE, NO_SERVER], clients=FOUR_CLIENTS, weights=(1, 0, 1)),
        "weight 0 does not move the clients of a server under sh: it keeps its places in the hash"
        " table, and 50 requests of theirs were refused; removing it moves them, and so does the"
        " flag sh-fallback",
    ),
    "kept_connections, a newcomer": (
        Seen("rr", servers=[ONE, TWO], kept=True, joins_us=(0, 0, 300_000)),
        "short: server 3 joined at 0.3 s and got none of the 69 requests that followed: 69 of them"
        " were on connections that were kept open",
    ),
    "kept_connections, two newcomers": (
        Seen("rr", servers=[ONE], kept=True, joins_us=(0, 200_000, 300_000)),
        "short: server 2 joined at 0.2 s and got none of the 79 requests that followed, and neither"
        " did 1 more that came later",
    ),
    "kept_connections, weight 0": (
        Seen("rr", servers=[ONE, TWO], kept=True, weights=(1, 0, 1)),
        "short: server 2 had weight 0 from 0.5 s on and served 25 more requests",
    ),
    "persistence": (
        Seen("rr", servers=[TWO], persistent_timeout=60, persistent=(0, 1, 0)),
        "persistent 60 s, so each client keeps its server: 1 of 100 choices was the scheduler's,"
        " and 99 connections followed. They came from one client address",
    ),
    "persistence of a time that /proc does not tell": (
        Seen("rr", servers=[TWO], flags=0x1),
        "persistent, so each client keeps its server: of 100 choices only some were",
    ),
    "persistence that nobody counts": (
        Seen("rr", servers=[TWO], persistent_timeout=60),
        "of 100 choices only some were the scheduler's",
    ),
    "untaken_requests, sent again": (
        Seen("rr", untaken=("reset", 5_012_000, 1), events=[_timeouts(3)]),
        "short: 40 requests were sent again on a new connection, because a kept one did not take"
        " them and answered with a reset: it had been idle for 5.0 s, and IPVS forgets a"
        " connection that is idle for its tcp timeout of 3 s",
    ),
    "untaken_requests, failed": (
        Seen("rr", untaken=("silence", 5_012_000, 0), events=[_timeouts(3)]),
        "short: 40 requests failed, because a kept connection did not take them and answered with"
        " silence: it had been idle",
    ),
    "untaken_requests, of a server": (
        Seen("rr", untaken=("closed", 500_000, 1), events=[_timeouts(900)]),
        "answered with its end; none had been idle for IPVS's tcp timeout of 900 s, so the real"
        " server may have closed it just then",
    ),
    "untaken_requests, no settings": (
        Seen("rr", untaken=("refused", 500_000, 1)),
        "did not take them and answered with ICMP (port unreachable)",
    ),
    "past_director": (
        Seen("lc", events=[_forwarding("dr")]),
        "replies went past the director (direct routing): it counts a connection as active until"
        " its client's FIN, and hears nothing of what real servers send; see",
    ),
    "past_director, a dead server": (
        Seen(
            "lc",
            active=(0, 7, 0),
            events=[_forwarding("tun"), ServerCondition(1, 9, TWO, 2, "killed")],
        ),
        "(tunnels, IP in IP): it counts a connection as active until its client's FIN, and hears"
        " nothing of what real servers send; server 2 died, and 7 of its connections were active",
    ),
    "unlike_settings": (
        Seen(
            "rr",
            events=[
                DirectorSettings(1, 0, "a", USUAL, {}),
                DirectorSettings(1, 0, "b", USUAL | {"tcp": 3}, {"conn_reuse_mode": 0}),
            ],
        ),
        "the nodes are not set the same: b has tcp timeout 3, conn_reuse_mode 0",
    ),
}  # fmt: skip

OTHERS = {
    "rr on several directors": Seen("rr", nodes=("director-1", "director-2")),
    "lc on one": Seen("lc"),
    "a server that died where replies pass the director": Seen(
        "lc", active=(0, 7, 0), events=[_timeouts(900), ServerCondition(1, 9, TWO, 2, "killed")]
    ),
    "rr with one client": Seen("rr"),
    "a few ports that came again": Seen("rr", ports=95),
    "rules, which remember otherwise": Seen("iptables", ports=16, clients=FOUR_CLIENTS),
    "rr that gave one server all": Seen("rr", servers=[ONE]),
    "counters that stand still": Seen("rr", counted=0, active=(1, 1, 1)),
    "a director that refused all": Seen("rr", counted=0, servers=[NO_SERVER]),
    "sh with many clients": Seen("sh", clients=FOUR_CLIENTS),
    "sh-port with one client": Seen("sh", flags=0x10),
    "mh-port where /proc was read, which does not tell it": Seen("mh"),
    "lblc that moved on": Seen("lblc"),
    "sed while the others worked": Seen("sed", servers=[THREE], active=(4, 0, 0)),
    "sed that spread": Seen("sed"),
    "sh-fallback and weight 0": Seen(
        "sh", flags=0x8, clients=FOUR_CLIENTS, servers=[ONE, NO_SERVER], weights=(1, 0, 1)
    ),
    "ovf without any server": Seen("ovf", servers=[NO_SERVER], weights=(0, 0, 0)),
    "a newcomer without weight": Seen(
        "rr", servers=[ONE, TWO], kept=True, joins_us=(0, 0, 300_000), weights=(1, 1, 0), early=0
    ),
    "kept connections that IPVS did not balance": Seen(
        "iptables", servers=[ONE, TWO], kept=True, joins_us=(0, 0, 300_000), table=False
    ),
    "rules that drew alike": Seen("iptables"),
    "rules whose draws are not all known": Seen("iptables", servers=[ONE, TWO, TWO, NO_SERVER]),
    "rules and a server that came later": Seen(
        "nftables", servers=[ONE, TWO, TWO], joins_us=(0, 0, 900_000)
    ),
    "a hash without IPVS, of many clients": Seen("nftables-hash", clients=FOUR_CLIENTS),
    "rr without any server": Seen("rr", servers=[NO_SERVER], weights=(0, 0, 0)),
    "kept connections and a newcomer that was used": Seen(
        "rr", kept=True, joins_us=(0, 0, 300_000)
    ),
    "new connections and weight 0": Seen("rr", servers=[ONE], weights=(1, 0, 1)),
    "settings that are alike": Seen(
        "rr", events=[DirectorSettings(1, 0, node, USUAL, {}) for node in "ab"]
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_explained_once(case: str) -> None:
    seen, words = CASES[case]
    (note,) = seen.notes()
    assert words in note


@pytest.mark.parametrize("case", OTHERS)
def test_nothing_is_explained_where_nothing_surprises(case: str) -> None:
    assert OTHERS[case].notes() == []


def test_timeouts_of_ipvs_explain_nothing_where_it_does_not_balance() -> None:
    for table in (False, True):
        seen = Seen("iptables", untaken=("reset", 5_012_000, 1), events=[_timeouts(3)], table=table)
        (note,) = seen.notes()
        assert note.endswith("did not take them and answered with a reset")


def test_each_explanation_has_a_case() -> None:
    files = {explain.__module__.rpartition(".")[2] for explain in EXPLANATIONS}
    assert files <= {re.split("[ ,]", case)[0] for case in CASES}


def test_their_links_lead_to_a_heading() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/schedulers.md").read_text(), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert anchors >= BALANCERS.keys()
    links = {link for seen, _ in CASES.values() for link in _links(seen)}
    links |= {link for name in SCHEDULERS for link in _links(replace(CASES["idle_servers"][0],
              scheduler=name))}  # fmt: skip
    assert len(links) > 8
    assert links <= anchors


def _links(seen: Seen) -> list[str]:
    return [
        link for note in seen.notes() for link in re.findall(r"docs/schedulers\.md#([\w-]+)", note)
    ]
