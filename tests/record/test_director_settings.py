"""What was set on the director, out of a record: what is unusual, and where it differs."""

from pathlib import Path

from ipvsload.record.events import DirectorSettings, Event
from ipvsload.record.reader import RecordedRun, read
from ipvsload.report import junit, markdown
from ipvsload.report.figure_rows import column_header
from ipvsload.report.wording import place
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.director import DirectorResult, director_result
from ipvsload.results.evaluate import evaluate
from ipvsload.results.recording_differences import differences
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO, write_skew

USUAL = {"tcp": 900, "tcp_fin": 120, "udp": 300}
SYSCTLS: dict[str, int | str] = {"conn_reuse_mode": 1, "conntrack": 0, "sync_threshold": "3 50"}


def recorded(directory: Path, *events: Event, flags: int = 0, persistent: int = 0) -> RecordedRun:
    """The first run of the skew recording, with these events and this service."""
    run = read(write_skew(directory)).runs[0]
    run.events += events
    for number, sample in enumerate(run.samples):
        changed = sample.services[0]._replace(
            scheduler="sh", flags=flags, persistent_timeout=persistent
        )
        run.samples[number] = type(sample)(
            sample.run, sample.node, sample.t_us, sample.took_us, (changed,)
        )
    return run


def test_what_nobody_set_is_not_told(tmp_path: Path) -> None:
    event = DirectorSettings(1, 0, "director", USUAL, SYSCTLS)
    found = director_result(recorded(tmp_path / "run", event))
    assert found == DirectorResult(persistent_seconds=0, timeouts=USUAL, sysctls=SYSCTLS)


def test_persistence_flags_timeouts_and_sysctls_are_told(tmp_path: Path) -> None:
    sysctls = {**SYSCTLS, "conn_reuse_mode": 0, "sync_threshold": "9 50"}
    event = DirectorSettings(1, 0, "director", {"tcp": 3, "tcp_fin": 3, "udp": 3}, sysctls)
    found = director_result(recorded(tmp_path / "run", event, flags=0x11, persistent=60))
    assert found.flags == ("sh-port",)
    assert found.of_service == ("persistent 60 s", "sh-port")
    assert found.of_director == ("tcp timeout 3 s", "fin timeout 3 s", "conn_reuse_mode 0")
    assert found.sysctls["sync_threshold"] == "9 50"


def test_a_node_that_differs_and_a_change_in_the_run_are_told(tmp_path: Path) -> None:
    found = director_result(
        recorded(
            tmp_path / "run",
            DirectorSettings(1, 0, "a", USUAL, SYSCTLS),
            DirectorSettings(1, 0, "b", USUAL, SYSCTLS),
            DirectorSettings(1, 1_500_000, "b", USUAL | {"tcp": 9}, SYSCTLS),
        )
    )
    assert found.nodes == {"b": {"tcp timeout": 9}}
    assert found.changed == ("tcp timeout 9 s (before: 900) at 1.5 s on b",)
    assert found.of_director == ()


def test_an_earlier_record_says_nothing_of_it(tmp_path: Path) -> None:
    run = read(write_skew(tmp_path / "run")).runs[0]
    assert director_result(run) == DirectorResult(persistent_seconds=0)


def set_on_director(directory: Path, conntrack: int, schedulers: tuple[str, ...]) -> Results:
    """A recording whose director had this value in each run of these schedulers; lc has 1."""
    recording = read(write_skew(directory, schedulers=schedulers))
    for run in recording.runs:
        value = 1 if run.scheduler == "lc" else conntrack
        run.events.append(
            DirectorSettings(run.number, run.start_us, "d", USUAL, {"conntrack": value})
        )
    return evaluate(recording, parse_scenario(SCENARIO, "t.yaml"))


def test_what_is_the_same_in_all_columns_is_said_once(tmp_path: Path) -> None:
    same = set_on_director(tmp_path / "same", 1, ("rr", "lc"))
    assert same.settings == ("conntrack 1",)
    assert [summary.settings for summary in same.schedulers] == [(), ()]
    assert place(same)[-1] == "director set to conntrack 1"
    other = set_on_director(tmp_path / "other", 0, ("rr", "lc"))
    assert other.settings == ()
    assert [column_header(summary) for summary in other.schedulers] == ["rr", "lc, conntrack 1"]
    assert "lc, conntrack 1" in markdown.render(other)
    assert '<property name="settings" value="conntrack 1" />' in junit.render(other)


def test_compare_tells_what_was_set_differently(tmp_path: Path) -> None:
    results = {
        "old": evaluate(read(write_skew(tmp_path / "a")), parse_scenario(SCENARIO, "t.yaml")),
        "usual": set_on_director(tmp_path / "b", 0, ("rr",)),
        "set": set_on_director(tmp_path / "c", 1, ("rr",)),
    }
    recorded = [ComparedRecording(name, one, SCENARIO) for name, one in results.items()]
    told = {one.what: one.values for one in differences(recorded)}
    assert told.pop("columns") == ("rr, lc", "rr", "rr")
    assert told == {"conntrack": ("unknown", "0", "1")}
    assert [one.what for one in differences(recorded[:2])] == ["columns"]


def test_how_real_servers_are_reached_is_told_where_replies_go_past(tmp_path: Path) -> None:
    masqueraded = recorded(tmp_path / "masq")
    masqueraded.forwarding = "masq"
    found = director_result(masqueraded)
    assert (found.forwarding, found.of_service) == ("masq", ())
    # What the table shows comes before what somebody meant.
    event = DirectorSettings(1, 0, "d", USUAL, SYSCTLS, "dr and masq")
    found = director_result(recorded(tmp_path / "dr", event))
    assert (found.forwarding, found.of_service) == ("dr and masq", ("dr and masq",))
