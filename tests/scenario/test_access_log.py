"""Access logs as arrivals: `ipvsload trace`."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.cli.trace import trace
from ipvsload.errors import UsageError
from ipvsload.scenario import access_log
from ipvsload.scenario.access_log import LogTrace, read_line
from ipvsload.scenario.trace import Trace

AT = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.0" 200 2326'
SECONDS = datetime(2000, 10, 10, 20, 55, 36, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("line", "seconds", "took"),
    [
        (AT, 0, None),
        (f'{AT} "http://x.example/[10]" "Mozilla/4.08 [en] (GET /z 1.5)"', 0, None),
        (f'{AT} "-" "curl/8" 0.250', 0, 0.25),
        (f'{AT} "-" "curl/8" "0.250"', 0, None),
        (f'{AT} "-" "curl/8" rt=0.250 uct="0.000"', 0, 0.25),
        (f'{AT} "-" "curl/8" request_time="1.5"', 0, 1.5),
        (AT.replace("10/Oct/2000:13:55:36 -0700", "2000-10-10T13:55:36.5-07:00"), 0.5, None),
        (AT.replace("[10/Oct/2000:13:55:36 -0700]", "2000-10-10T20:55:36,25Z"), 0.25, None),
        ('2000-10-10 20:55:36+00:00 192.0.2.1 "GET /a?b" 404 0', 0, None),
        ('www.example.com:443 ' + AT, 0, None),
        (AT.replace("frank", "Jane Q. Public"), 0, None),
    ],
)  # fmt: skip
def test_formats_that_are_known(line: str, seconds: float, took: float | None) -> None:
    found = read_line(line)
    assert found is not None
    assert (found.time - SECONDS, found.took) == (seconds, took)
    assert (found.method, found.path) == ("GET", "/a?b")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "root:x:0:0:root:/root:/bin/bash",
        '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "-" 400 0',
        AT.replace("/Oct/", "/Okt/"),
        AT.replace("13:55:36", "25:55:36"),
        AT.replace("/a?b", "http://example.com/"),
        AT.replace("/a?b", "/" + "x" * 5000),
    ],
)
def test_what_is_no_request_that_can_be_sent_is_not_understood(line: str) -> None:
    assert read_line(line) is None


@given(st.text(max_size=200) | st.from_regex(access_log._LINE))
def test_whatever_a_line_has_it_is_read_or_not(line: str) -> None:
    read_line(line)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 999)), min_size=1))
def test_arrivals_come_in_the_order_of_their_starts(logged: list[tuple[int, int]]) -> None:
    """Each line is written when its request ends, so that starts are out of order."""
    lines = [
        f'h - - [10/Oct/2000:13:55:{second % 60:02} -0700] "GET /{number} HTTP/1.1" 200 1 "-" "-" '
        f"{took / 1000:.3f}"
        for number, (second, took) in enumerate(sorted(logged))
    ]
    rows = list(LogTrace(lines))
    assert len(rows) == len(lines)
    assert rows[0].seconds == 0
    assert all(a.seconds <= b.seconds for a, b in pairwise(rows))
    assert sorted(row.path or "" for row in rows) == sorted(f"/{n}" for n in range(len(lines)))


def test_requests_of_a_whole_second_are_put_at_even_distances() -> None:
    later = AT.replace(":36 ", ":37 ")
    assert [row.seconds for row in LogTrace([AT, AT, AT, AT, later])] == [0, 0.25, 0.5, 0.75, 1]


def test_a_log_that_is_out_of_order_by_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "WINDOW", 2)
    later = AT.replace(":36 ", ":50 ")
    assert len(list(LogTrace([later, later, AT]))) == 3
    with pytest.raises(UsageError, match="more than 2 lines out of order"):
        list(LogTrace([later, later, later, AT]))


def test_the_command_writes_what_a_scenario_reads(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    odd = [AT.replace("GET", "POST"), "nonsense", AT.replace("a?b", "c,d").replace(":36 ", ":38 ")]
    log.write_text("\n".join([AT, *odd]) + "\n")
    done = CliRunner().invoke(trace, [str(log)])
    assert done.stdout == 'offset,path\n0.000000,/a?b\n2.000000,"/c,d"\n'
    assert "2 arrivals in 2.0 s; left out: 1 that are not GET and" in done.stderr
    assert "lines that were not understood (3)" in done.stderr
    rows = list(Trace("t", done.stdout.encode().splitlines(keepends=True)))
    assert [(row.seconds, row.path) for row in rows] == [(0, "/a?b"), (2, "/c,d")]


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nothing\nof\nthat\n")
    for name, message in (("x", "no GET request in a known format"), ("y", "No such file")):
        done = CliRunner().invoke(trace, [str(tmp_path / name)])
        assert isinstance(done.exception, UsageError)
        assert message in str(done.exception)
