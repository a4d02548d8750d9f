from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.node_sums import NodeSums
from ipvsload.ipvs.table import RealServer, VirtualService, by_address
from ipvsload.record.format import Sample
from ipvsload.results.kernel_counts import count, readings


def sample(t: int, *servers: tuple[str, int, int, int], node: str = "n", key: str = "k") -> Sample:
    rows = tuple(
        RealServer(a, 1, active, inactive, 0, conns, 0, 0, 0, 0)
        for a, active, inactive, conns in servers
    )
    return Sample(1, node, t, 0, (VirtualService(key, "rr", 0, 0, 0, 0, 0, 0, 0, rows),))


def test_connections_are_the_counter_less_its_baseline() -> None:
    found = count([sample(0, ("a", 1, 0, 5)), sample(1, ("a", 2, 7, 9), ("b", 0, 1, 3))], {"a": 5})
    assert {address: s.connections for address, s in found.servers.items()} == {"a": 4, "b": 3}
    assert found.connections == 7
    assert (found.servers["a"].active_max, found.servers["a"].inactive_max) == (2, 7)
    assert (found.active_max, found.inactive_max) == (2, 8)


def test_a_counter_that_falls_is_a_new_entry() -> None:
    found = count(
        [sample(0, ("a", 0, 0, 8)), sample(1, ("a", 0, 0, 2)), sample(2, ("a", 0, 0, 3))], {}
    )
    assert found.servers["a"].connections == 11


def test_a_server_that_left_keeps_its_count() -> None:
    found = count([sample(0, ("a", 3, 0, 8), ("b", 0, 0, 1)), sample(1, ("b", 0, 0, 1))], {})
    assert found.servers["a"].connections == 8
    assert (found.servers["a"].present, found.servers["b"].present) == (False, True)


def test_nodes_and_services_are_added_up() -> None:
    samples = [
        sample(0, ("a", 2, 0, 2)),
        sample(1, ("a", 3, 1, 3), node="m"),
        sample(2, ("a", 0, 0, 2)),
    ]
    found = [
        (t, {a: (s.active, s.inactive) for a, s in table.items()}) for t, table in readings(samples)
    ]
    assert found == [(0, {"a": (2, 0)}), (1, {"a": (5, 1)}), (2, {"a": (3, 1)})]
    assert count(samples, {}).servers["a"].connections == 5
    assert count(samples, {}).servers["a"].active_max == 5
    two = Sample(1, "n", 0, 0, (*samples[0].services, *sample(0, ("a", 4, 0, 1), key="l").services))
    assert count([two], {}).servers["a"].connections == 3
    assert count([two], {}).active_max == 6


def test_no_samples_is_not_nothing() -> None:
    found = count([], {"a": 3})
    assert found.connections is None
    assert found.active_max is None


TABLES = st.dictionaries(
    st.sampled_from("abc"), st.tuples(st.integers(0, 9), *[st.integers(0, 99)] * 8), max_size=3
)


@given(st.lists(st.tuples(st.sampled_from("xyz"), TABLES), max_size=12))
def test_readings_are_the_sums_of_what_each_node_showed_last(
    told: list[tuple[str, dict[str, tuple[int, ...]]]],
) -> None:
    samples = []
    for t_us, (node, table) in enumerate(told):
        rows = tuple(RealServer(address, *counts) for address, counts in table.items())
        service = VirtualService("tcp 192.0.2.80:80", "lc", 0, 0, 0, 0, 0, 0, 0, rows)
        samples.append(Sample(1, node, t_us, 9, (service,)))
    last: dict[str, Sample] = {}
    found = list(readings(samples))
    assert [t_us for t_us, _ in found] == list(range(len(told)))
    for sample, (_, table_then) in zip(samples, found, strict=True):
        last[sample.node] = sample
        rows = tuple(row for one in last.values() for row in one.services[0].servers)
        assert table_then == by_address(rows)


@given(st.lists(TABLES, min_size=3, max_size=3))
def test_a_node_that_is_forgotten_counts_no_more(
    tables: list[dict[str, tuple[int, ...]]],
) -> None:
    sums = NodeSums()
    rows = [{a: RealServer(a, *counts) for a, counts in table.items()} for table in tables]
    for node, table in zip("xyz", rows, strict=True):
        sums.update(node, table)
    sums.forget("x")
    assert sums.servers == by_address([*rows[1].values(), *rows[2].values()])
    sums.forget("y")
    assert sums.servers == rows[2]
