"""Several directors in one run: what each did, in results and in each report."""

from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.report import markdown
from ipvsload.report.html import html_report
from ipvsload.results.results import Results
from tests.report.rendering import printed, results
from tests.request_edits import edited
from tests.skew_recording import write_skew

NODES = ("director-9", "director-10")


@pytest.fixture
def one_director(tmp_path: Path) -> Recording:
    return read(write_skew(tmp_path / "run"))


@pytest.fixture
def two_directors(one_director: Recording) -> Recording:
    """Each has the table of the one there was; requests came by the two in turn."""
    for run in one_director.runs:
        run.samples[:] = [replace(one, node=node) for one in run.samples for node in NODES[::-1]]
        with edited(run) as requests:
            requests[:] = [
                request._replace(director=1 + number % 2) for number, request in enumerate(requests)
            ]
    return one_director


def test_each_director_has_its_connections_and_its_requests(two_directors: Recording) -> None:
    for run in results(two_directors).runs:
        assert [one.node for one in run.directors] == list(NODES)
        for server in run.servers:
            parts = [one.connections[server.address] for one in run.directors]
            assert parts == [server.connections // 2] * 2 if server.connections else [0, 0]
            for name, count in server.requests.items():
                by = [one.requests.get(name, {}).get(server.address, 0) for one in run.directors]
                assert sum(by) == count
        sent = [sum(sum(by.values()) for by in one.requests.values()) for one in run.directors]
        assert max(sent) - min(sent) <= 1


def test_many_directors_without_samples_are_told_in_one_line(one_director: Recording) -> None:
    run = one_director.runs[0]
    names = [f"director-{number}" for number in range(1, 5)]
    end = max(one.planned_us + one.latency_us for one in run.requests)
    late = end + 3_000_000
    with edited(run) as requests:
        requests[-1] = requests[-1]._replace(latency_us=late - requests[-1].planned_us)
    run.samples[:] = [
        replace(one, node=node) for one in run.samples if one.t_us < end for node in names
    ]
    reasons = [one for one in results(one_director).runs[0].reasons if "no sample of" in one]
    assert len(reasons) == 1
    assert reasons[0].endswith(", and 3 more such holes")
    run.samples[:] = [one for one in run.samples if one.node in names[:2]]
    reasons = [one for one in results(one_director).runs[0].reasons if "no sample of" in one]
    assert [name for name in names if any(f"of {name} " in one for one in reasons)] == names[:2]


def test_where_there_is_one_nothing_is_said_of_it(one_director: Recording) -> None:
    found = results(one_director)
    assert not any(run.directors for run in found.runs)
    for text in reports(found, one_director):
        assert "each director" not in text


def test_each_report_shows_what_each_did(two_directors: Recording) -> None:
    found = results(two_directors)
    by_number = found.schedulers[0].directors[0].connections
    cells = " ".join(f"{count.median:g}" for count in by_number.values() if count)
    for text in reports(found, two_directors):
        assert "connections of each director" in text.lower()
        assert all(node in text for node in NODES)
        assert cells in text
    page = reports(found, two_directors)[-1]
    assert "The connections of each director" in page
    assert page.index("director-9") < page.index("director-10")


def reports(found: Results, recording: Recording) -> list[str]:
    return [printed(found, 140), markdown.render(found), html_report.render(found, recording)]
