"""Many servers: heat maps of servers by time, and the sorted-load curve."""

import re
import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.reader import Recording
from ipvsload.record.request_table import RequestTable
from ipvsload.report.html import html_report
from ipvsload.report.html.chart_series import Point
from ipvsload.report.html.column_styles import column_styles
from ipvsload.report.html.heat_map import MOST_ROWS, RAMP, heat_grid, heat_map, share_rows
from ipvsload.report.html.indexed_png import indexed_png
from ipvsload.report.html.sorted_load import sorted_load_chart, sorted_loads
from ipvsload.report.html.template_environment import PALETTE
from tests.report.rendering import results

Chunks = dict[bytes, bytes]


def chunks(png: bytes) -> Chunks:
    """The chunks of a PNG, with their checksums verified."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(kind + data)
        found[kind] = data
        at += 12 + length
    return found


@given(st.integers(1, 9).flatmap(
    lambda width: st.lists(st.binary(min_size=width, max_size=width), min_size=1, max_size=9)
))  # fmt: skip
def test_a_picture_holds_its_pixels(rows: list[bytes]) -> None:
    found = chunks(indexed_png(rows, [(i, 0, 255 - i) for i in range(256)]))
    width, height, depth, kind = struct.unpack(">IIBB", found[b"IHDR"][:10])
    assert (width, height, depth, kind) == (len(rows[0]), len(rows), 8, 3)
    lines = zlib.decompress(found[b"IDAT"])
    assert lines == b"".join(b"\0" + row for row in rows)
    assert found[b"tRNS"] == b"\0"
    assert found[b"PLTE"][3:6] == bytes((1, 0, 254))


@pytest.mark.parametrize("rows", [[], [b""], [b"ab", b"a"]])
def test_a_picture_without_rows_of_one_length_is_none(rows: list[bytes]) -> None:
    with pytest.raises(ValueError, match="rows"):
        indexed_png(rows, [(0, 0, 0)])


def test_a_cell_has_the_greatest_value_and_what_holds_from_before() -> None:
    points: list[Point] = [(1.0, 2), (2.5, 9), (2.6, 1), (4.5, None), (6.0, 3)]
    (row, empty) = heat_grid({"a": points}, ["a", "b"], 8.0, 8)
    assert row == [None, 2, 9, 1, 1, None, 3, None]
    assert empty == [None] * 8


@pytest.mark.parametrize(("servers", "each"), [(13, 1), (200, 1), (300, 2), (1000, 5)])
def test_many_servers_share_rows_and_keep_their_peak(servers: int, each: int) -> None:
    grid: list[list[float | None]] = [[float(i % 7), None] for i in range(servers)]
    grid[-1] = [99.0, None]
    rows, shared = share_rows(grid)
    assert shared == each
    assert len(rows) == -(-servers // each) <= MOST_ROWS
    assert rows[-1] == [99.0, None]
    found = heat_map("lc", grid, 99.0, 2.0)
    assert f"at most 99, on server {servers} at 0 s" in found.alternative
    assert found.y_ticks[0][1] == "1"
    assert found.y_ticks[-1][1] == str(servers)
    assert all(0 <= place <= 100 for place, _ in found.y_ticks)


def test_the_legend_has_the_colours_of_the_picture() -> None:
    style = (PALETTE.parent / "charts.css").read_text()
    for red, green, blue in RAMP:
        assert f"rgb({red} {green} {blue})" in style


def many_servers(recording: Recording, servers: int) -> Recording:
    """Each run with so many servers; under the second, the first server has most connections."""
    runs = []
    for at, run in enumerate(recording.runs):
        (service,) = run.samples[-1].services
        told = tuple(
            service.servers[0]._replace(
                address=f"10.0.{i // 250}.{i % 250}:80",
                active=i % 5,
                conns=servers * 3 if at and not i else 9,
            )
            for i in range(servers)
        )
        big = replace(run, baseline={})
        big.samples = [replace(s, services=(service._replace(servers=told),)) for s in run.samples]
        big.events = [e for e in run.events if e.kind != "joined"]
        big.requests = RequestTable.of(1, [])
        runs.append(big)
    return replace(recording, runs=tuple(runs))


@pytest.mark.parametrize("servers", [12, 13, 120])
def test_the_page_shows_many_servers_as_a_picture(recording: Recording, servers: int) -> None:
    changed = many_servers(recording, servers)
    page = html_report.render(results(changed), changed)
    courses = page[page.index("Servers over time") : page.index("Each run in detail")]
    maps = re.findall(r'<img class="heat" src="data:image/png;base64,[^"]+" alt="([^"]+)"', courses)
    assert len(maps) == (2 if servers >= 13 else 0)
    assert courses.count("<svg") == (2 if servers < 13 else 0)
    for label, words in zip(("rr", "lc"), maps, strict=False):
        assert words.startswith(f"Active connections under {label}, a row a server")
        assert "at most 4, on server 5" in words
    assert ("How even the load is" in page) == (servers > 100)
    assert "http" not in courses


def test_servers_stand_by_their_load(recording: Recording) -> None:
    found = results(many_servers(recording, 120))
    loads = sorted_loads(found.runs)
    assert loads["rr"] == pytest.approx([1 / 120] * 120)
    assert loads["lc"][0] == pytest.approx(360 / (360 + 119 * 9))
    assert loads["lc"] == sorted(loads["lc"], reverse=True)
    chart = sorted_load_chart(loads, column_styles(loads))
    assert chart.rows[1][:2] == ["lc", "25.16 %"]
    assert "lc 25.16 % to 0.629 %" in chart.alternative
    assert [line.label for line in chart.lines] == ["rr", "lc"]
    assert chart.x_ticks[0] == (0.0, "1")
