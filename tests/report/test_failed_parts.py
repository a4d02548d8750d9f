"""What failed is a part of its own: with it the parts of a class add up to all its requests."""

import re
from dataclasses import replace

import pytest

from ipvsload.record.format import NO_SERVER
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.record.request_table import RequestTable
from ipvsload.report import markdown
from ipvsload.report.html import html_report
from ipvsload.report.html.split_bars import split_bar
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.report.rendering import printed
from tests.request_edits import change_each
from tests.skew_recording import ONE, SCENARIO, TWO

ASKED = SCENARIO[: SCENARIO.index("expect:")].replace(
    "requests: 100, think: 50ms", "requests: 4501"
) + ('expect:\n  all:\n    - "share{class=short,server=1} == 1705/4501"\n')


@pytest.fixture
def refused(recording: Recording) -> tuple[Recording, Results]:
    """Of 4,501 short requests 1,091 were refused and no server has them, and 20 failed at one."""
    run = replace(recording.runs[0])
    first = next(r for r in run.requests if r.traffic == "short")
    short = [first._replace(planned_us=first.planned_us + i, server=None) for i in range(4501)]
    for i, request in enumerate(short):
        if i < 1091:
            by = NO_SERVER if i < 1000 else None
            short[i] = request._replace(status=0, error="refused", reused=False, server=by)
        else:
            short[i] = request._replace(server=ONE if i % 2 else TWO, reused=True)
    for i in range(1091, 1131, 2):
        short[i] = short[i]._replace(status=503)
    run.requests = RequestTable.of(1, [r for r in run.requests if r.traffic != "short"] + short)
    changed = replace(recording, runs=(run,))
    return changed, evaluate(changed, parse_scenario(ASKED, "skew.yaml"))


def test_a_share_is_a_part_of_all_requests_of_the_class(
    refused: tuple[Recording, Results],
) -> None:
    found = refused[1]
    one, two = found.runs[0].servers
    assert (one.requests["short"], two.requests["short"]) == (1705, 1705)
    assert (one.failures, two.failures) == ({"long": 0, "short": 20}, {"long": 0, "short": 0})
    short = found.runs[0].traffic["short"]
    assert (short.requests, short.failures, short.failures_without_server) == (4501, 1111, 1091)
    assert [e.held for e in found.runs[0].expectations] == [True]
    (summary,) = found.schedulers
    parts = [server.share["short"] for server in summary.servers]
    parts.append(summary.traffic["short"].share_without_server)
    assert sum(part.median for part in parts if part) == pytest.approx(1)


def test_tables_show_the_part_that_failed_and_why(refused: tuple[Recording, Results]) -> None:
    lines = [re.sub(r"[ |]+", " ", line).strip() for line in printed(refused[1]).splitlines()]
    at = lines.index("server 1 198.51.100.11:80")
    assert lines[at:].index("short requests 1705 (38 %)") < lines[at:].index(
        "of them failed 20 (0.44 %)"
    )
    at = lines.index("in no server's count")
    assert lines[at + 1] == "short failed 1091 (24 %)"
    at = lines.index("short")
    assert lines[at + 1 : at + 6] == [
        "requests 4501",
        "failed 1111 (25 %)",
        "failed: refused (no server) 1000",
        "failed: refused (not known) 91",
        "failed: status 503 20",
    ]
    assert "| failed: refused (no server) | 1000 |" in markdown.render(refused[1])


def test_a_class_without_failures_has_no_rows_of_them(refused: tuple[Recording, Results]) -> None:
    text = printed(refused[1])
    assert "failed" not in text[text.rindex("\nlong") : text.index("\nshort")]


def test_bars_show_it_too(refused: tuple[Recording, Results]) -> None:
    recording, found = refused
    bar = split_bar(found.schedulers[0], "short", {1: "--s0", 2: "--s1"})
    assert [(s.label, s.requests, s.failed) for s in bar.segments] == [
        ("server 1", "1685", False),
        ("server 1", "20 failed", True),
        ("server 2", "1705", False),
        ("no server", "1091 failed", True),
    ]
    assert sum(segment.percent for segment in bar.segments) == pytest.approx(100, abs=0.01)
    page = html_report.render(found, recording)
    assert "short: server 1 1685, server 1 20 failed, server 2 1705, no server 1091 failed" in page


def test_where_servers_are_not_known_the_bar_says_what_failed(
    refused: tuple[Recording, Results],
) -> None:
    recording, _ = refused
    run = replace(recording.runs[0], exclusive=False)
    change_each(run, lambda r: r._replace(server=None))
    found = evaluate(replace(recording, runs=(run,)), parse_scenario(ASKED, "skew.yaml"))
    bar = split_bar(found.schedulers[0], "short", {})
    assert (bar.segments, bar.why) == ((), "servers not known; 25 % failed")


def test_many_kinds_of_failure_take_few_rows(refused: tuple[Recording, Results]) -> None:
    (summary,) = refused[1].schedulers
    short = summary.traffic["short"]
    kinds = {f"kind {i}": short.failures for i in range(30)}
    traffic = {"short": replace(short, errors=kinds)}
    text = printed(replace(refused[1], schedulers=(replace(summary, traffic=traffic),)))
    assert text.count("failed: kind") == 7
    assert re.search(r"failed: 23 other kinds +\| +25553", text)


@pytest.mark.parametrize("schedulers", [1, 3, 4, 5])
def test_numbers_of_the_summary_are_right_aligned(
    schedulers: int, refused: tuple[Recording, Results]
) -> None:
    found = replace(refused[1], schedulers=refused[1].schedulers * schedulers)
    rules = [line for line in markdown.render(found).splitlines() if line.startswith("| :--")]
    assert rules[1] == "| :-- | :-- | :-- | --: | --: |"
    assert rules[-1] == f"| :-- {'| --: ' * schedulers}|"


def test_retries_have_a_row_where_there_were_some(refused: tuple[Recording, Results]) -> None:
    recording, found = refused
    assert "retried" not in printed(found)
    run = replace(recording.runs[0])
    change_each(
        run,
        lambda r: (
            r._replace(untaken="reset", retried=1)
            if r.status == 200 and r.traffic == "short"
            else r
        ),
    )
    changed = evaluate(replace(recording, runs=(run,)), parse_scenario(ASKED, "skew.yaml"))
    assert re.search(r"\n  retried +\| +3390 *\n", printed(changed))


def test_a_kind_that_a_scheduler_did_not_see_is_0(refused: tuple[Recording, Results]) -> None:
    recording, _ = refused
    both = replace(recording, runs=(*recording.runs, under_lc(recording)))
    found = evaluate(both, parse_scenario(ASKED, "skew.yaml"))
    assert re.search(r"failed: status 503 +\| +20 +\| +0 *\n", printed(found))


def under_lc(recording: Recording) -> RecordedRun:
    """The same run under another scheduler, without an answer 503."""
    run = replace(recording.runs[0], number=2, scheduler="lc")
    change_each(run, lambda r: r._replace(status=200) if r.status == 503 else r)
    return run
