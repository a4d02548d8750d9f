"""Where the load comes from: each source as seldom as can be."""

from ipvsload.testbed.lab.source_ports import SourcePorts


def test_sources_are_taken_in_turn() -> None:
    sources = SourcePorts(["192.0.2.1", "192.0.2.2"])
    taken = [sources.take() for _ in range(2 * 63_488 + 1)]
    assert taken[:3] == [("192.0.2.1", 2048), ("192.0.2.2", 2048), ("192.0.2.1", 2049)]
    assert len(set(taken)) == 2 * 63_488
    assert taken[-1] == taken[0]
