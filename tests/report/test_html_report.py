"""report.html: what it says, that it stands alone, and that no recording can break it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ipvsload.record.events import StepStarted
from ipvsload.record.reader import Recording
from ipvsload.record.request_table import RequestTable
from ipvsload.report.html import html_report
from ipvsload.results.results import Results
from tests.report.rendering import results
from tests.request_edits import change_each


class Outline(HTMLParser):
    """The elements of a page that do something, and whether all are closed."""

    VOID = frozenset({"meta", "path", "br", "img"})

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


def in_detail(text: str) -> str:
    """The part with the panels of runs."""
    return text[text.index("Each run in detail") :]


def test_the_page_stands_alone_and_leads_with_the_verdict(recording: Recording) -> None:
    text = html_report.render(results(recording), recording)
    found = outline(text)
    assert (found.scripts, found.references, found.handlers) == (1, [], [])
    assert "url(" not in text
    assert "@import" not in text
    places = [
        text.index(part)
        for part in ("<strong>Held</strong>", "Expectations", "Notes", "Each run in detail")
    ]
    assert places == sorted(places)
    assert text.count('<figure class="chart"') == 8
    assert "short: server 1 50, server 2 50" in text
    assert "prefers-color-scheme: dark" in text


def test_hostile_texts_stay_texts_in_the_page(hostile: tuple[Recording, Results]) -> None:
    found = outline(html_report.render(hostile[1], hostile[0]))
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
                service._replace(
                    servers=tuple(
                        service.servers[0]._replace(address=a, active=(i * t) % 97)
                        for i, a in enumerate(addresses)
                    ),
                ),
            ),
        )
        for t, sample in enumerate(run.samples[:: 1 if servers < 1000 else 10])
    ]
    requests = (
        r._replace(planned_us=r.planned_us + n, server=addresses[n % servers])
        for n in range(50)
        for r in run.requests
    )
    big = replace(run)
    big.samples, big.requests = samples, RequestTable.of(1, requests)
    changed = replace(recording, runs=(big,))
    found = results(changed)
    text = html_report.render(found, changed)
    outline(text)
    assert len(text) < 1_000_000
    assert ('class="band"' in in_detail(text).split("Inactive connections")[0]) == (servers > 24)
    if servers > 6:  # the two that joined stand before them
        assert f"{servers - 3} more servers" in text


def test_a_recording_without_runs_still_makes_a_page(recording: Recording) -> None:
    empty = replace(recording, runs=(), ends=("the recording ends before its first run",))
    text = html_report.render(results(empty), empty)
    outline(text)
    assert "the recording ends before its first run" in text
    assert "<svg" not in text


def test_a_run_with_nothing_in_it_still_makes_a_page(recording: Recording) -> None:
    run = replace(recording.runs[0])
    run.samples, run.requests, run.events = [], RequestTable.of(1, []), []
    changed = replace(recording, runs=(run,))
    outline(html_report.render(results(changed), changed))


def test_where_nothing_read_the_table_the_page_shows_the_requests(recording: Recording) -> None:
    run = replace(recording.runs[0], service="", exclusive=False)
    run.samples = []
    run.events = [e for e in run.events if e.kind != "joined"]
    change_each(run, lambda r: r._replace(server=None))
    changed = replace(recording, runs=(run,))
    text = html_report.render(results(changed), changed)
    outline(text)
    assert in_detail(text).count("<svg") == 2
    assert "Servers over time" not in text
    assert text.count("servers not known") == 2
    assert "no requests" not in text


def test_numbers_of_steps_do_not_lie_on_each_other(recording: Recording) -> None:
    run = replace(recording.runs[0])
    first = next(e for e in run.events if isinstance(e, StepStarted))
    run.events = [
        *(e for e in run.events if not isinstance(e, StepStarted)),
        *(replace(first, index=i, t_us=first.t_us + i * 20_000) for i in range(5)),
    ]
    changed = replace(recording, runs=(run,))
    text = html_report.render(results(changed), changed)
    text = in_detail(text)
    rail = text[text.index('class="rail"') : text.index("<figure")]
    places = re.findall(r"left: ([\d.]+)%; top: (\d+)px", rail)
    assert [int(top) for _, top in places] == [0, 18, 36, 54, 72]
