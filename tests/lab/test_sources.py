"""Where the load comes from: each source as seldom as can be."""

from _socket import socket as _Socket  # noqa: N812
from collections import Counter
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import MAX_DIRECTORS, SOURCE_PORTS, Topology

SPREADS = ["client", "connection", "random"]


def test_sources_are_taken_in_turn() -> None:
    sources = SourcePorts(["192.0.2.1", "192.0.2.2"], Topology())
    taken = [sources.take() for _ in range(2 * 63_488 + 1)]
    assert taken[:3] == [("192.0.2.1", 2048), ("192.0.2.2", 2048), ("192.0.2.1", 2049)]
    assert len(set(taken)) == 2 * 63_488
    assert taken[-1] == taken[0]


def choices(topology: Topology, count: int) -> list[tuple[str, int]]:
    """The client and the director of so many connections."""
    ranges = topology.director_ports
    sources = SourcePorts(topology.client_addresses, topology)
    taken = [sources.take() for _ in range(count)]
    assert len(set(taken)) == count
    return [
        (client, next(n for n, ports in enumerate(ranges, 1) if port in ports))
        for client, port in taken
    ]


@given(st.integers(1, MAX_DIRECTORS), st.integers(1, 5))
def test_each_director_has_ports_of_its_own(directors: int, clients: int) -> None:
    topology = Topology(clients=clients, directors=directors)
    ranges = topology.director_ports
    assert [port for ports in ranges for port in ports] == list(
        SOURCE_PORTS if directors == 1 else SOURCE_PORTS[:-1]
    )
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@given(st.integers(1, MAX_DIRECTORS), st.integers(1, 5))
def test_by_connection_each_client_uses_each_director_as_often(
    directors: int, clients: int
) -> None:
    each = choices(Topology(clients=clients, directors=directors), 3 * directors * clients)
    assert [director for _, director in each] == list(range(1, directors + 1)) * 3 * clients
    assert set(Counter(each).values()) == {3}


@given(st.integers(1, MAX_DIRECTORS), st.integers(1, 20))
def test_by_client_each_client_has_one_director(directors: int, clients: int) -> None:
    topology = Topology(clients=clients, directors=directors, spread="client")
    each = choices(topology, 3 * clients)
    homes = Counter(director for _, director in set(each))
    assert sum(homes.values()) == clients
    assert max(homes.values()) - min(homes[n] for n in range(1, directors + 1)) <= 1


@pytest.mark.parametrize("directors", [2, 16])
def test_by_chance_a_seed_gives_the_same_directors_and_another_gives_others(directors: int) -> None:
    one, again, other = (
        choices(Topology(clients=2, directors=directors, spread="random", seed=seed), 2_000)
        for seed in (1, 1, 2)
    )
    assert one == again != other
    counts = Counter(director for _, director in one)
    assert all(abs(counts[n] - 2_000 / directors) < 300 for n in range(1, directors + 1))


@given(st.integers(1, 1_000), st.integers(1, 3), st.integers(1, 3), st.sampled_from(SPREADS))
def test_a_fixed_few_come_again_and_each_run_has_others(
    few: int, clients: int, directors: int, spread: str
) -> None:
    topology = Topology(clients=clients, directors=directors, source_ports=few, spread=spread)
    sources = SourcePorts(topology.client_addresses, topology)
    runs = []
    for repeat in range(3):
        sources.begin_run(repeat)
        runs.append(Counter(sources.take() for _ in range(200)))
    for taken in runs:
        for client in topology.client_addresses:
            for ports in topology.director_ports:
                mine = [n for (one, p), n in taken.items() if one == client and p in ports]
                assert len(mine) == min(sum(mine), few)
                assert not mine or max(mine) - min(mine) <= 1
    assert len(set().union(*runs)) == sum(map(len, runs))


@given(
    st.sampled_from(SPREADS), st.sampled_from(["in-turn", "random", 5]), st.integers(0, 50),
    st.integers(1, 99),
)  # fmt: skip
def test_all_runs_of_a_repeat_have_the_same_clients_and_directors(
    spread: str, ports: Any, before: int, repeat: int
) -> None:
    topology = Topology(clients=3, directors=3, source_ports=ports, spread=spread, seed=7)
    ranges = topology.director_ports

    def of_run(sources: SourcePorts, *, remembered: bool) -> list[tuple[str, int, int]]:
        sources.begin_run(repeat, remembered=remembered)
        taken = [sources.take() for _ in range(40)]
        through = [next(n for n, ports in enumerate(ranges) if port in ports) for _, port in taken]
        return [(*source, n) for source, n in zip(taken, through, strict=True)]

    sources = SourcePorts(topology.client_addresses, topology)
    runs = []
    for _ in range(2):
        for _ in range(before):
            sources.take()
        runs.append(of_run(sources, remembered=True))
    one, other = ([(client, n) for client, _, n in run] for run in runs)
    assert one == other
    if ports == "in-turn":
        assert not set(runs[0]) & set(runs[1])
    forgotten = SourcePorts(topology.client_addresses, topology)
    assert of_run(forgotten, remembered=False) == of_run(sources, remembered=False)
    assert [(client, n) for client, _, n in of_run(forgotten, remembered=False)] == one


def test_a_seed_gives_the_same_ports_at_random_and_another_gives_others() -> None:
    one, again, other = (
        [source.take()[1] for _ in range(500)]
        for seed in (1, 1, 2)
        for source in [SourcePorts(["192.0.2.1"], Topology(source_ports="random", seed=seed))]
    )
    assert one == again != other
    assert set(one) <= set(SOURCE_PORTS)
    assert len(set(one)) > 450


def test_of_a_few_the_next_free_one_is_taken_and_at_last_none() -> None:
    sources = SourcePorts(["127.0.0.1"], Topology(source_ports=3))
    with ExitStack() as held:
        sockets = [held.enter_context(closing(_Socket())) for _ in range(4)]
        ports = [sources.bind(sock)[1] for sock in sockets[:3]]
        assert len(set(ports)) == 3
        with pytest.raises(OSError, match="no free source port"):
            sources.bind(sockets[3])
        sockets[1].close()
        assert sources.bind(sockets[3])[1] == ports[1]
