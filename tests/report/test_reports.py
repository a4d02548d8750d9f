"""Every report of a recording: what it says, and that nothing in a recording can break it."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from ipvsload.errors import UsageError
from ipvsload.record.events import StepStarted
from ipvsload.record.format import EVENTS, REQUESTS
from ipvsload.record.reader import Recording, read
from ipvsload.report import junit, markdown
from ipvsload.report.html import html_report as page
from ipvsload.report.terminal_comparison import print_comparison
from ipvsload.report.terminal_table import print_results
from ipvsload.report.write import load_results, write_reports
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO, write_skew

HOSTILE = "</script><script>alert(1)</script>\"'&<b>|`*_[x](http://e.example)\n\x00\x1b[31m"


def results(recording: Recording, text: str = SCENARIO) -> Results:
    return evaluate(recording, parse_scenario(text, "skew.yaml"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return read(write_skew(tmp_path_factory.mktemp("skew")))


@pytest.fixture(scope="module")
def hostile(recording: Recording) -> tuple[Recording, Results]:
    """The skew run with every text that a recording can bring replaced."""
    found = results(recording)
    run = replace(
        found.runs[0],
        valid=False,
        scheduler=HOSTILE,
        reasons=(HOSTILE,),
        notes=(HOSTILE,),
        kernel={"release": HOSTILE, "provider": HOSTILE},
        traffic={HOSTILE: found.runs[0].traffic["short"]},
        servers=tuple(replace(s, address=HOSTILE) for s in found.runs[0].servers),
        expectations=tuple(
            replace(e, expression=HOSTILE, held=False, measured=None, reason=HOSTILE)
            for e in found.runs[0].expectations
        ),
    )
    scheduler = replace(
        found.schedulers[0],
        scheduler=HOSTILE,
        traffic={HOSTILE: found.schedulers[0].traffic["short"]},
        servers=tuple(
            replace(s, requests={HOSTILE: s.requests["short"]}, share={HOSTILE: s.share["short"]})
            for s in found.schedulers[0].servers
        ),
    )
    changed = replace(
        found,
        scenario=HOSTILE,
        title=HOSTILE,
        testbed=HOSTILE,
        verdict="invalid",
        runs=(run,),
        schedulers=(scheduler,),
        ends=(HOSTILE,),
    )
    recorded = replace(recording.runs[0])
    recorded.events = [
        replace(e, text=HOSTILE) if isinstance(e, StepStarted) else e for e in recorded.events
    ]
    recorded.requests = [r._replace(traffic=HOSTILE) for r in recorded.requests]
    return replace(recording, runs=(recorded,)), changed


def printed(found: Results, width: int = 100, **options: Any) -> str:
    file = io.StringIO()
    print_results(found, Console(file=file, width=width, **options))
    return file.getvalue()


class Outline(HTMLParser):
    """The elements of a page that do something, and whether all are closed."""

    VOID = frozenset({"meta", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.references: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.references += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "action")]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


# -- report.html ------------------------------------------------------------


def test_the_page_stands_alone_and_leads_with_the_verdict(recording: Recording) -> None:
    text = page.render(results(recording), recording)
    found = outline(text)
    assert (found.scripts, found.references, found.handlers) == (1, [], [])
    assert "url(" not in text
    assert "@import" not in text
    places = [text.index(part) for part in ("<strong>Held</strong>", "Expectations", "<svg")]
    assert places == sorted(places)
    assert text.count("<svg") == 8
    assert "short: server 1 50, server 2 50" in text
    assert "prefers-color-scheme: dark" in text


def test_hostile_texts_stay_texts_in_the_page(hostile: tuple[Recording, Results]) -> None:
    found = outline(page.render(hostile[1], hostile[0]))
    assert (found.scripts, found.references, found.handlers) == (1, [], [])


@pytest.mark.parametrize("servers", [3, 50, 1000])
def test_the_page_stays_small_with_many_servers_and_requests(
    recording: Recording, servers: int
) -> None:
    run = recording.runs[0]
    (service,) = run.samples[-1].services
    addresses = [f"10.0.{i // 250}.{i % 250}:80" for i in range(servers)]
    samples = [
        replace(
            sample,
            services=(
                replace(
                    service,
                    servers=tuple(
                        service.servers[0]._replace(address=a, active=(i * t) % 97)
                        for i, a in enumerate(addresses)
                    ),
                ),
            ),
        )
        for t, sample in enumerate(run.samples[:: 1 if servers < 1000 else 10])
    ]
    requests = [
        r._replace(planned_us=r.planned_us + n, server=addresses[n % servers])
        for n in range(50)
        for r in run.requests
    ]
    big = replace(run)
    big.samples, big.requests = samples, requests
    changed = replace(recording, runs=(big,))
    found = results(changed)
    text = page.render(found, changed)
    outline(text)
    assert len(text) < 1_000_000
    assert ('class="band"' in text.split("Inactive connections")[0]) == (servers > 60)
    if servers > 6:  # the two that joined stand before them
        assert f"{servers - 3} more servers" in text


def test_a_recording_without_runs_still_makes_a_page(recording: Recording) -> None:
    empty = replace(recording, runs=(), ends=("the recording ends before its first run",))
    text = page.render(results(empty), empty)
    outline(text)
    assert "the recording ends before its first run" in text
    assert "<svg" not in text


def test_a_run_with_nothing_in_it_still_makes_a_page(recording: Recording) -> None:
    run = replace(recording.runs[0])
    run.samples, run.requests, run.events = [], [], []
    changed = replace(recording, runs=(run,))
    outline(page.render(results(changed), changed))


# -- the terminal -----------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_shows_the_split_at_a_glance(recording: Recording, width: int) -> None:
    text = printed(results(recording), width)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= width
    lines = [re.sub(r"[ |]+", " ", line).strip() for line in text.splitlines()]
    assert "short requests 50 (50 %) 0 (0 %)" in lines
    assert "short requests 50 (50 %) 100 (100 %)" in lines
    assert "active at most 11 10" in lines
    assert "HELD 7 expectations held in 2 runs" in lines


def test_colours_only_on_a_terminal_that_wants_them(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = results(recording)
    assert "\x1b[32m" in printed(found, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in printed(found, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(found)


def test_repeats_show_median_and_range(tmp_path: Path) -> None:
    text = printed(results(read(write_skew(tmp_path / "run", repeats=3))), 120)
    assert "rr (median of 3)" in text
    assert re.search(r"latency p50 .*\d ms \[\d+.*-\d+.* ms\]", text)
    assert "3 of 3 runs" in text


def test_what_failed_and_why_stands_in_the_table(recording: Recording) -> None:
    text = SCENARIO.replace("== 50", "== 49")
    out = printed(results(recording, text))
    assert re.search(r"NO +rr +requests{class=short,server=1} == 49 +measured 50", out)
    assert "FAILED  2 of 7 expectations did not hold" in out


def test_schedulers_that_do_not_fit_stand_below_each_other(recording: Recording) -> None:
    found = results(recording)
    many = replace(found, schedulers=found.schedulers * 4)
    out = printed(many, 80)
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("server 1  198.51.100.11:80") == 3


# -- files ------------------------------------------------------------------


def test_junit_counts_what_held_and_what_did_not(recording: Recording) -> None:
    root = ElementTree.fromstring(
        junit.render(results(recording, SCENARIO.replace("== 50", "== 49")))
    )
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["skew.rr.1", "skew.lc.1", "skew.compare"]
    rr = suites["skew.rr.1"]
    assert (rr.get("tests"), rr.get("failures"), rr.get("errors")) == ("3", "2", "0")
    failure = rr.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "measured 50"
    assert suites["skew.lc.1"].get("failures") == "0"


def test_junit_has_errors_for_a_run_that_does_not_count(recording: Recording) -> None:
    changed = replace(recording, ends=("the recording ends at 7.3 s",))
    found = results(changed)
    broken = replace(
        found, runs=(replace(found.runs[0], valid=False, reasons=("gap",)), found.runs[1])
    )
    root = ElementTree.fromstring(junit.render(broken))
    suites = {suite.get("name"): suite for suite in root}
    assert suites["skew.rr.1"].get("errors") == "3"
    assert suites["skew.lc.1"].get("errors") == "0"
    assert suites["skew.recording"].get("errors") == "1"


def test_summary_is_a_table_with_the_verdict_first(recording: Recording) -> None:
    text = markdown.render(results(recording))
    assert text.startswith("## ✅ skew: held\n")
    assert "| short requests | 50 (50 %) | 0 (0 %) |" in text
    widths = [
        {line.count(" | ") for line in block.splitlines()}
        for block in text.split("\n\n")
        if block.startswith("|")
    ]
    assert len(widths) == 2


@pytest.mark.parametrize("render", [junit.render, markdown.render, printed])
def test_hostile_texts_stay_texts_in_files(
    hostile: tuple[Recording, Results], render: Callable[[Results], str]
) -> None:
    text = render(hostile[1])
    if render is junit.render:
        ElementTree.fromstring(text)
    elif render is markdown.render:
        assert "<script" not in text
        assert "[x](" not in text
        assert "://" not in text
        assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))
    else:
        assert "\x1b" not in text
        assert "\x00" not in text
        assert "\x1b[31m" not in printed(hostile[1], force_terminal=True, color_system=None)


def test_reports_are_written_and_again(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    for _ in range(2):
        assert write_reports(*load_results(directory)) == directory / "report.html"
    new = {path.name for path in directory.iterdir()} - before.keys()
    assert new == {"report.html", "junit.xml", "summary.md", "results.json"}
    assert all((directory / name).read_bytes() == content for name, content in before.items())
    assert json.loads((directory / "results.json").read_text())["verdict"] == "held"


def test_a_killed_run_is_reported_up_to_where_it_ends(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run")
    lines = (directory / EVENTS).read_bytes().splitlines(keepends=True)
    (directory / EVENTS).write_bytes(b"".join(lines[:-3]))
    content = (directory / REQUESTS).read_bytes()
    (directory / REQUESTS).write_bytes(content[:-40])
    recording, found = load_results(directory)
    write_reports(recording, found)
    assert (found.verdict, found.exit_status) == ("invalid", 4)
    text = (directory / "report.html").read_text()
    assert "requests.ndjson stops in the middle of a line" in text
    assert "requests.ndjson stops in the middle of a line" in printed(found, 200)


# -- compare ----------------------------------------------------------------


def compared(*directories: Path) -> str:
    file = io.StringIO()
    print_comparison(directories, Console(file=file, width=120))
    return file.getvalue()


def test_two_recordings_stand_side_by_side_with_what_differs(tmp_path: Path) -> None:
    one = write_skew(tmp_path / "one")
    two = write_skew(tmp_path / "two", scenario_text=SCENARIO + "# changed\n", provider="host")
    text = compared(one, two)
    assert re.search(r"rr *\| *rr *\| *lc *\| *lc", text)
    assert re.search(r"one *\| *two *\| *one *\| *two", text)
    assert "the scenario file is not the same: two differs from one" in text
    assert "the kernels are not the same: one: 6.1.0 (uml); two: 6.1.0 (host)" in text
    assert "note:" not in compared(one, write_skew(tmp_path / "three"))


def test_one_directory_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two"):
        compared(write_skew(tmp_path / "one"))
