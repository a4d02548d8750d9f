"""`ipvsload export`: the tables, where they go, and what is refused."""

import csv
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ipvsload.cli import cli
from ipvsload.record.column_blocks import BlockEncoder
from ipvsload.record.format import EVENTS, REQUEST_LINES, REQUESTS, RESULTS, SAMPLES
from ipvsload.record.reader import read
from ipvsload.record.request_table import REQUEST_LAYOUT
from ipvsload.report.exports.export_folder import MADE
from ipvsload.report.exports.record_tables import RecordTables
from ipvsload.report.write import load_results, write_reports
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from tests.record.request_lines import as_lines
from tests.recorded_requests import recorded_requests
from tests.skew_recording import write_skew


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_skew(tmp_path_factory.mktemp("exported") / "run", repeats=2)
    write_reports(*load_results(directory))
    return directory


@pytest.fixture
def directory(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def exported(directory: Path, kind: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["export", str(directory), "--format", kind, *words])


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_request_and_sample_is_a_row(directory: Path) -> None:
    done = exported(directory, "csv")
    assert done.exit_code == 0, done.output
    assert f"{directory / 'export' / 'requests.csv'}: 440 rows" in done.output
    runs = read(directory).runs
    requests = [request for run in runs for request in run.requests]
    found = rows(directory / "export", "requests")
    assert [int(row["latency_us"]) for row in found] == [r.latency_us for r in requests]
    assert {(row["run"], row["column"], row["repeat"]) for row in found} == {
        ("1", "rr", "1"), ("2", "lc", "1"), ("3", "rr", "2"), ("4", "lc", "2"),
    }  # fmt: skip
    # On the run's own clock.
    last = found[-1]
    assert int(last["planned_us"]) == requests[-1].planned_us - runs[-1].start_us
    assert int(last["sent_us"]) == int(last["planned_us"]) + 40
    assert int(last["end_us"]) == int(last["planned_us"]) + int(last["latency_us"])
    assert (last["failed"], last["status"], last["error"]) == ("False", "200", "")
    samples = rows(directory / "export", "samples")
    assert len(samples) == sum(
        len(service.servers)
        for run in runs
        for sample in run.samples
        for service in sample.services
    )
    assert {row["weight"] for row in samples} == {"1"}
    assert max(int(row["active"]) for row in samples) == max(
        server.active
        for run in runs
        for sample in run.samples
        for service in sample.services
        for server in service.servers
    )


def test_figures_are_those_of_the_results(directory: Path) -> None:
    exported(directory, "csv")
    results = json.loads((directory / RESULTS).read_text())
    of_lc = [row for row in rows(directory / "export", "runs") if row["column"] == "lc"]
    assert [(row["repeat"], row["class"], row["requests"]) for row in of_lc] == [
        ("1", "long", "10"), ("1", "short", "100"), ("2", "long", "10"), ("2", "short", "100"),
    ]  # fmt: skip
    p95 = results["runs"][1]["traffic"]["short"]["latency_ms"]["p95"]
    assert float(of_lc[1]["latency_p95_ms"]) == p95
    servers = rows(directory / "export", "servers")
    assert [row["requests_short"] for row in servers[:4]] == ["50", "50", "0", "100"]


def test_a_compared_pair_is_a_row(directory: Path) -> None:
    path = directory / RESULTS
    results = json.loads(path.read_text())
    column = MeasuredColumn("lc", "latency_p95{class=short}", "ms", "less", ((1, 3.5),), 3.5, None)
    pair = PairComparison(
        *("latency_p95{class=short}", "rr", "lc", (2, 2), (4.5, 3.5), (None, (3.0, 4.0))),
        *(-1.0, (-1.5, -0.5), 0.01, 0.02, "less", 0.05),
        method="a test",
        warnings=("few", "ties"),
    )
    results |= {"columns": [plain(column)], "comparison": [plain(pair)]}
    path.write_text(json.dumps(results))
    exported(directory, "csv")
    (row,) = rows(directory / "export", "comparison")
    assert row["unit"] == "ms"
    assert (row["a"], row["b"], row["difference"], row["verdict"]) == ("rr", "lc", "-1.0", "less")
    assert (row["median_a_ci95_low"], row["median_b_ci95_high"]) == ("", "4.0")
    assert (row["difference_ci95_low"], row["difference_ci95_high"]) == ("-1.5", "-0.5")
    assert (row["p_holm"], row["warnings"]) == ("0.02", "few; ties")
    assert rows(directory / "export", "measures") == [
        {
            "column": "lc", "repeat": "1", "measure": "latency_p95{class=short}", "unit": "ms",
            "value": "3.5",
        }
    ]  # fmt: skip


def plain(found: Any) -> Any:
    return asdict(found)


def test_parquet_has_the_same_rows_with_types(directory: Path) -> None:
    from pyarrow import parquet

    for kind in ("csv", "parquet"):
        assert exported(directory, kind).exit_code == 0
    for name in ("requests", "samples", "runs", "servers", "measures", "comparison"):
        typed = parquet.read_table(directory / "export" / f"{name}.parquet").to_pylist()
        texts = [
            {key: "" if cell is None else str(cell) for key, cell in row.items()} for row in typed
        ]
        assert texts == rows(directory / "export", name)
    first = parquet.read_table(directory / "export" / "requests.parquet").slice(0, 1).to_pylist()
    assert {type(cell) for cell in first[0].values()} == {int, str, bool, type(None)}


def test_without_pyarrow_the_command_that_installs_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = exported(directory, "parquet")
    assert "pip install 'ipvsload[parquet]'" in str(done.exception)
    assert not list((directory / "export").iterdir())


def test_an_export_is_made_again_and_nothing_else_is_overwritten(directory: Path) -> None:
    folder = directory / "export"
    for kind in ("csv", "hgrm", "csv"):
        assert exported(directory, kind).exit_code == 0
    made = json.loads((folder / MADE).read_text())["files"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {MADE, *made}
    (folder / MADE).write_text(json.dumps({"files": ["samples.csv"]}))
    (folder / "requests.csv").write_text("mine")
    assert "requests.csv: no export made this file" in str(exported(directory, "csv").exception)
    assert (folder / "requests.csv").read_text() == "mine"


@pytest.mark.parametrize("target", ["", "results.json", "results.json/sub"])
def test_it_does_not_go_where_other_things_are(directory: Path, target: str) -> None:
    before = {path: path.read_bytes() for path in directory.iterdir()}
    done = exported(directory, "csv", "--out", str(directory / target))
    assert "--out" in str(done.exception)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"runs": [{}]}'])
def test_without_results_the_records_are_exported(directory: Path, content: bytes | None) -> None:
    (directory / RESULTS).unlink()
    if content is not None:
        (directory / RESULTS).write_bytes(content)
    for kind in ("csv", "hgrm"):
        done = exported(directory, kind)
        assert done.exit_code == 0
        assert f"ipvsload report {directory}" in done.stderr
        assert "results.json is " in done.stderr
    assert len(rows(directory / "export", "requests")) == 440
    assert not (directory / "export" / "comparison.csv").exists()
    assert (directory / "export" / "lc.short.hgrm").exists()


def test_an_interrupted_recording_is_exported_up_to_its_end(directory: Path) -> None:
    lines = (directory / EVENTS).read_bytes().splitlines(keepends=True)
    (directory / EVENTS).write_bytes(b"".join(lines[:-1]))
    content = (directory / REQUESTS).read_bytes()
    (directory / REQUESTS).write_bytes(content[:-20])
    (directory / SAMPLES).unlink()
    done = exported(directory, "csv")
    assert "the recording ends at " in done.stderr
    assert "requests.columns stops in the middle of a block" in done.stderr
    assert "samples.ndjson is missing" in done.stderr
    assert 400 < len(rows(directory / "export", "requests")) < 440


def test_texts_of_servers_stay_in_their_cells(tmp_path: Path) -> None:
    hostile = 'a,"b\n;\x00'
    directory = write_skew(tmp_path / "run", schedulers=("rr",))
    as_lines(directory)
    text = (directory / REQUEST_LINES).read_text()
    (directory / REQUEST_LINES).write_text(text.replace('"short"', json.dumps(hostile)))
    exported(directory, "csv")
    found = {row["class"] for row in rows(directory / "export", "requests")}
    assert found == {"long", hostile}
    assert exported(directory, "hgrm").exit_code == 0
    folder = directory / "export"
    assert {path.name for path in folder.glob("*.hgrm")} == {"rr.long.hgrm", "rr.a_b_.hgrm"}


def test_rows_are_made_as_they_are_written(tmp_path: Path) -> None:
    """So a long record is never in memory: here it grows behind the first rows."""
    directory = write_skew(tmp_path / "run", schedulers=("rr",))
    path = directory / REQUESTS
    encoder, some = BlockEncoder(REQUEST_LAYOUT), recorded_requests(directory)
    with path.open("wb") as file:
        file.write(REQUEST_LAYOUT.header())
        for _ in range(50):
            encoder.add(some)
            file.write(encoder.take())
    found = iter(RecordTables(read(directory, events_only=True)).requests().rows)
    next(found)
    encoder.add(one._replace(traffic="late") for one in some)
    with path.open("ab") as file:
        file.write(encoder.take())
    assert [row[3] for row in found].count("late") == 110
