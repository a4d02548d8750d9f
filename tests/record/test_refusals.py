"""Who refused a request: told by the record, of a recording with a few things changed in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.events import RunPlanned
from ipvsload.record.format import NO_SERVER, Request, Sample
from ipvsload.record.reader import RecordedRun, read
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import RunResult
from ipvsload.scenario.load import parse_scenario
from tests.request_edits import change_each, edited
from tests.skew_recording import ONE, SCENARIO, TWO, write_skew

FALLBACK = 0x8


def refused(
    run: RecordedRun, count: int, server: str | None, port: int | None = 4000
) -> list[Request]:
    """Has `count` short requests refused, from one port or their own; returns them as recorded."""
    with edited(run) as requests:
        places = [i for i, r in enumerate(requests) if r.traffic == "short"][:count]
        for i in places:
            one = requests[i]
            own = one.port if port is None else port
            requests[i] = one._replace(server=server, status=0, error="refused", port=own)
    return [requests[i] for i in places]


def table(run: RecordedRun, scheduler: str, weights: dict[str, int], flags: int = 0) -> None:
    """Has every sample show this scheduler and these weights."""

    def changed(sample: Sample) -> Sample:
        (service,) = sample.services
        servers = tuple(one._replace(weight=weights[one.address]) for one in service.servers)
        service = service._replace(scheduler=scheduler, flags=flags, servers=servers)
        return replace(sample, services=(service,))

    run.samples = [changed(sample) for sample in run.samples]


def result(tmp_path: Path, change: Callable[[RecordedRun], object]) -> RunResult:
    recording = read(write_skew(tmp_path / "run", schedulers=("rr",)))
    recording.runs[0].events.insert(0, RunPlanned(1, 0, "rr", 1))
    change(recording.runs[0])
    return evaluate(recording, parse_scenario(SCENARIO, "t.yaml")).runs[0]


@pytest.mark.parametrize(
    ("server", "by", "note"),
    [
        (TWO, "the server", ""),
        (NO_SERVER, "no server", "30 requests were refused by the director, which had no server"),
        (None, "not known", "30 failed requests are in no server's count: the director was not"),
    ],
)
def test_a_refusal_is_a_servers_or_the_directors(
    server: str | None, by: str, note: str, tmp_path: Path
) -> None:
    run = result(tmp_path, lambda run: refused(run, 30, server, port=None))
    assert run.traffic["short"].errors == {"refused": 30}
    assert run.traffic["short"].refused_by == {by: 30}
    assert run.traffic["long"].refused_by == {}
    assert [text for text in run.notes if text.startswith("short: ")] == [
        text for text in run.notes if note and note in text
    ]
    assert bool(run.notes) == bool(note)
    assert sum(server.failures["short"] for server in run.servers) == (30 if server else 0)


def test_an_early_record_does_not_tell_who_was_asked(tmp_path: Path) -> None:
    def change(run: RecordedRun) -> None:
        refused(run, 30, None)
        run.events = [event for event in run.events if not isinstance(event, RunPlanned)]

    assert "the director did not say to which it gave them" in result(tmp_path, change).notes[0]


@pytest.mark.parametrize("scheduler", ["sh", "mh", "dh"])
def test_a_scheduler_that_hashes_refuses_the_clients_of_a_server_of_weight_0(
    scheduler: str, tmp_path: Path
) -> None:
    def change(run: RecordedRun) -> None:
        refused(run, 7, NO_SERVER)
        table(run, scheduler, {ONE: 0, TWO: 1})

    run = result(tmp_path, change)
    assert run.traffic["short"].refused_by == {"weight 0": 7}
    note = "short: 7 requests were refused by the director, which chose a server of weight 0"
    assert any(note in text for text in run.notes)


@pytest.mark.parametrize(
    ("scheduler", "weights", "flags"),
    [
        ("rr", {ONE: 0, TWO: 1}, 0),
        ("sh", {ONE: 0, TWO: 1}, FALLBACK),
        ("mh", {ONE: 0, TWO: 1}, FALLBACK),
        ("sh", {ONE: 0, TWO: 0}, 0),
        ("sh", {ONE: 1, TWO: 1}, 0),
        ("unheard-of", {ONE: 0, TWO: 1}, 0),
    ],
)
def test_weight_0_is_no_reason_where_another_server_would_have_been_chosen(
    scheduler: str, weights: dict[str, int], flags: int, tmp_path: Path
) -> None:
    def change(run: RecordedRun) -> None:
        refused(run, 7, NO_SERVER)
        table(run, scheduler, weights, flags)

    assert result(tmp_path, change).traffic["short"].refused_by == {"no server": 7}


def test_the_table_is_that_of_the_requests_own_moment(tmp_path: Path) -> None:
    def change(run: RecordedRun) -> None:
        last = refused(run, 100, NO_SERVER)[49]
        table(run, "sh", {ONE: 0, TWO: 1})
        samples = run.samples.copy()
        table(run, "sh", {ONE: 1, TWO: 1})
        run.samples = [
            drained if drained.t_us <= last.start_us else whole
            for drained, whole in zip(samples, run.samples, strict=True)
        ]

    by = result(tmp_path, change).traffic["short"].refused_by
    assert by["weight 0"] + by["no server"] == 100
    # To a tenth of a second, as there are samples.
    assert 50 <= by["weight 0"] <= 56


def test_without_samples_the_director_just_had_no_server(tmp_path: Path) -> None:
    def change(run: RecordedRun) -> None:
        refused(run, 7, NO_SERVER)
        run.samples.clear()

    assert result(tmp_path, change).traffic["short"].refused_by == {"no server": 7}


def test_what_never_left_this_machine_nobody_was_asked_for(tmp_path: Path) -> None:
    def change(run: RecordedRun) -> None:
        some = refused(run, 5, None, port=0)
        change_each(run, lambda one: one._replace(error="no port") if one in some else one)

    run = result(tmp_path, change)
    assert run.traffic["short"].errors == {"no port": 5}
    assert run.notes == ()
    # Whatever was measured, it was not what was asked for.
    assert "short: 5 requests were never sent: the generator's machine had no" in run.reasons[0]


def test_a_request_that_was_sent_again_is_counted(tmp_path: Path) -> None:
    def change(run: RecordedRun) -> None:
        with edited(run) as requests:
            requests[-3:] = [
                r._replace(untaken="reset", idle_us=5, retried=1) for r in requests[-3:]
            ]

    run = result(tmp_path, change)
    assert sum(one.retried for one in run.traffic.values()) == 3
    assert run.valid
