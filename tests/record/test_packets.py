import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.errors import InvalidRunError
from ipvsload.record.format import FormatError
from ipvsload.record.packet_file import read_packets, write_packets
from ipvsload.record.packet_table import PacketTable
from ipvsload.record.reader import read
from ipvsload.record.witness import Packet, PacketKind, Witness
from ipvsload.record.writer import RunWriter
from tests.skew_recording import SCENARIO, write_skew

ADDRESSES = st.sampled_from(["", "192.0.2.101", "2001:db8:1::101", "198.51.100.11:80"])
PACKETS = st.lists(
    st.builds(
        Packet,
        st.integers(-(2**63), 2**63 - 1),
        st.sampled_from(PacketKind),
        ADDRESSES,
        st.integers(0, 65_535),
        ADDRESSES,
    )
)
ONE = Packet(5, PacketKind.CHOSEN, "192.0.2.101", 2048, "198.51.100.11:80")


@given(PACKETS)
def test_a_table_gives_back_what_it_was_made_of(packets: list[Packet]) -> None:
    table = PacketTable.of(packets)
    assert list(table) == list(table) == packets
    assert len(table) == len(packets)


@given(packets=PACKETS)
@settings(max_examples=30)
def test_what_is_written_is_read(packets: list[Packet]) -> None:
    with TemporaryDirectory() as name:
        place = Path(name)
        size = write_packets(place, 7, Witness(packets, 3))
        assert size == sum(path.stat().st_size for path in (place / "packets").iterdir())
        found = read_packets(place, 7)
        assert found is not None
        assert (list(found.packets), found.dropped) == (packets, 3)
        assert read_packets(place, 8) is None


def test_a_recording_gives_each_run_its_own(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run"))
    assert recording.witness(recording.runs[0]) is None
    write_packets(tmp_path / "run", 2, Witness([ONE]))
    found = recording.witness(recording.runs[1])
    assert found is not None
    assert list(found.packets) == [ONE]
    assert recording.witness(recording.runs[0]) is None


def test_a_writer_keeps_them_and_says_where_it_cannot(tmp_path: Path) -> None:
    writer = RunWriter(
        tmp_path, scenario_text=SCENARIO, scenario="skew", testbed="lab", origin_unix_us=0
    )
    assert writer.packets(1, Witness([ONE])) > 0
    with pytest.raises(InvalidRunError, match=r"packets: cannot record any further"):
        writer.packets(1, Witness([ONE]))  # its files are there
    assert writer.packets(2, Witness([ONE])) == 0
    writer.close()
    assert read_packets(tmp_path, 1) is not None


def test_what_was_not_written_to_the_end_is_none(tmp_path: Path) -> None:
    write_packets(tmp_path, 1, Witness([ONE]))
    (tmp_path / "packets" / "1.json").unlink()
    assert read_packets(tmp_path, 1) is None


@pytest.mark.parametrize("size", [0, 40, 130])
def test_a_damaged_file_is_said(tmp_path: Path, size: int) -> None:
    write_packets(tmp_path, 1, Witness([ONE, ONE]))
    os.truncate(tmp_path / "packets" / "1.npy", size)
    with pytest.raises(FormatError, match=r"1\.npy"):
        read_packets(tmp_path, 1)


def test_a_table_knows_all_that_its_rows_name() -> None:
    rows = PacketTable.of([ONE]).rows
    with pytest.raises(ValueError, match="server"):
        PacketTable(rows, ["192.0.2.101"], [])
    with pytest.raises(ValueError, match="not a table"):
        PacketTable(np.zeros(3), [], [])
