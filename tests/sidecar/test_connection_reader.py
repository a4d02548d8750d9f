"""Reading the table in slices of any size: whole lines, each connection once, and what was read."""

import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.connection_lines import ConnectionLine, ServiceLines
from ipvsload.ipvs.connections import read_connections
from ipvsload.ipvs.decode import TableRows
from ipvsload.sidecar import beginnings_choice, connection_list, connection_reader
from ipvsload.sidecar.connection_reader import ConnectionReader

HEADING = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
# Each has a client's port of its own, so none stands for another.
numbers = st.sets(st.integers(1, 60), max_size=40)


def line(number: int) -> str:
    port = 0x50 + number % 3
    return f"TCP C0000265 {number:04X} C0000250 {port:04X} C633640B 0050 ESTABLISHED     899\n"


def read_whole(reader: ConnectionReader) -> list[dict[str, Any]]:
    """Until the end of the reading that has begun or begins."""
    told: list[dict[str, Any]] = []
    while True:
        told += reader.go_on()
        if reader._list._file < 0:
            return told


@pytest.fixture(autouse=True, scope="module")
def nothing_tells_of_beginnings() -> Iterator[None]:
    """On a busy machine the list is read slowly, and the reader would listen to real packets."""
    unheard = beginnings_choice.UnheardError("not in this test")
    with mock.patch.object(beginnings_choice, "listen", side_effect=unheard):
        yield


@given(st.lists(numbers, min_size=1, max_size=5), st.integers(1, 300))
def test_any_slices_tell_each_connection_once(readings: list[set[int]], size: int) -> None:
    with (
        TemporaryDirectory() as directory,
        mock.patch.object(connection_list, "_PIECE", size),
        mock.patch.multiple(connection_reader, SLICE=0.0, _SELDOM=0.0),
    ):
        path = Path(directory, "ip_vs_conn")
        reader = ConnectionReader([("192.0.2.80", 0x50)], [], share=1.0, path=str(path))
        before: list[set[tuple[str, int]]] = [set(), set()]
        begun: list[int] = []
        for table in readings:
            path.write_text(HEADING + "".join(map(line, sorted(table))))
            told = read_whole(reader)
            here = {one.client for one in read_connections(map(line, table), [("", 0x50)])}
            rows = [tuple(row) for one in told for row in one.get("connections", [])]
            assert sorted(row[:2] for row in rows) == sorted(here - before[-1] - before[-2])
            assert {row[2:] for row in rows} <= {("198.51.100.11:80", "ESTABLISHED", 80)}
            before.append(here)
            reads = [one["connections_read"] for one in told if "connections_read" in one]
            assert [read["entries"] for read in reads] == ([len(table)] if begun else [])
            # What the reading before may have passed over, this one has.
            assert [read["began"] for read in reads] == begun[-1:]
            begun.append(reader._list.begun)


class Heard:
    """Tells of connections from when it is made."""

    name, why = "packets", ""

    def __init__(self) -> None:
        self.waiting: list[ConnectionLine] = []

    def take(self, until: float) -> tuple[list[ConnectionLine], bool]:
        found, self.waiting = self.waiting[:3], self.waiting[3:]
        return found, not self.waiting

    def see(self, table: TableRows) -> None:
        pass

    def close(self) -> None:
        pass


@given(st.lists(st.booleans(), max_size=60), st.integers(200, 400))
def test_nothing_is_lost_when_the_list_is_left(steps: list[bool], size: int) -> None:
    """Connections begin (True) while the list is read, a slice at each step, and found too slow."""
    made: list[Heard] = []

    def listen(*_: object, **__: object) -> Heard:
        made.append(Heard())
        return made[-1]

    with (
        TemporaryDirectory() as directory,
        mock.patch.object(connection_list, "_PIECE", size),
        mock.patch.multiple(connection_reader, SLICE=0.0, _SELDOM=0.0, _PART=0.0, _SAY_EVERY=0.0),
        mock.patch.object(beginnings_choice, "listen", listen),
        mock.patch.object(ConnectionReader, "_give_up", return_value=iter(())),
    ):
        path = Path(directory, "ip_vs_conn")
        path.write_text(HEADING)
        reader = ConnectionReader([("", 0x50)], [], share=1.0, path=str(path))
        told: list[Any] = []
        begun = 0
        for begins in [*steps, *[False] * 120]:
            if begins:
                begun += 1
                new = line(3 * begun)
                path.write_text(path.read_text() + new)
                if made:
                    made[-1].waiting += ServiceLines([("", 0x50)]).find(f"\n{new}".encode())
            reader.see([])
            told += reader.go_on()
        reader.close()
    ports = [row[1] for one in told for row in one.get("connections", [])]
    assert sorted(ports) == [3 * one for one in range(1, begun + 1)]
    reads = [one["connections_read"] for one in told if "connections_read" in one]
    assert {one["why"] for one in reads} == {""}
    assert (len(made), reads[-1]["source"]) == (1, "packets")


def test_it_pauses_by_its_share(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    path.write_text(HEADING)
    clock = chain([0.0, 100.0, 100.0], repeat(101.0))
    with (
        mock.patch.object(connection_reader, "_SELDOM", 0.0),
        mock.patch("time.monotonic", side_effect=clock),
        mock.patch("time.monotonic_ns", return_value=1),
    ):
        reader = ConnectionReader([("", 80)], [], share=0.1, path=str(path))
        list(reader.go_on())
    # From 100 to 101 it worked, so it rests for nine times as long.
    assert reader.due == 110


@pytest.mark.parametrize("already", [False, True])
def test_in_a_hurry_it_reads_twice_from_the_beginning_without_a_pause(
    already: bool, tmp_path: Path
) -> None:
    path = tmp_path / "ip_vs_conn"
    path.write_text(HEADING + line(1) * 500)
    reader = ConnectionReader([("", 80)], [], share=0.001, path=str(path))
    read_whole(reader)
    if already:  # it is in the middle of one that did not see all
        reader._list_due = 0.0
        with (
            mock.patch.object(connection_list, "_PIECE", 100),
            mock.patch.multiple(connection_reader, SLICE=0.0),
        ):
            list(reader.go_on())
    asked = time.monotonic_ns()
    reader.hurry()
    known: list[int] = []
    while not known or known[-1] < asked:
        assert reader.due <= time.monotonic()
        reads = [one["connections_read"] for one in reader.go_on() if "connections_read" in one]
        known += [read["began"] for read in cast("list[dict[str, int]]", reads)]
    assert len(known) == 2 + already
    assert reader.due > time.monotonic() + 0.05  # and pauses again
