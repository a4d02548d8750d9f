"""The results of a recording, as types: the contract's results.json.

Every report shows these, so that no two reports can differ; only the curves of
report.html are made from the records, and from what the model chose. Numbers are
exact; latencies are in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ipvsload.record.format import MODEL
from ipvsload.record.listed_servers import Attribution
from ipvsload.record.recorded_machine import RecordedMachine
from ipvsload.replay.decision import PredictedChoice
from ipvsload.results.arrivals import ArrivalsResult
from ipvsload.results.change_delays import ChangeResult
from ipvsload.results.director import DirectorResult
from ipvsload.results.director_splits import DirectorSplit, DirectorSummary
from ipvsload.results.early_end import EarlyEnd
from ipvsload.results.evenness_over_time import EvennessFigures
from ipvsload.results.false_alarms import SelfCheckResult
from ipvsload.results.joined_servers import JoinedServer
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.prediction import PredictedServer, Prediction
from ipvsload.results.regression_result import RegressionResult
from ipvsload.results.sampling import SamplingResult
from ipvsload.results.spread_summary import SpreadSummary
from ipvsload.results.witness_result import WitnessResult
from ipvsload.statistics.median_range import MedianRange

FORMAT = 1

VerdictName = Literal["held", "failed", "invalid"]
EXIT_STATUS: dict[VerdictName, int] = {"held": 0, "failed": 1, "invalid": 4}


@dataclass(frozen=True, slots=True)
class ServerResult:
    """One real server in one run.

    `weight` is the one it joined with, `weights` are those that the kernel's table had
    one after the other, `connections` the kernel's count, None
    without samples; `requests` by class, None where some server is not known.
    `failures` are those of the requests that failed, as far as it is known that
    the kernel gave them to this server.

    Where the server says how busy it is, `utilisation` is the mean of its busy workers by
    their number, 0 to 1, while steps or requests went on; `busy_max` and `queue_max` are the
    greatest numbers of busy workers and of waiting requests in any sample.

    `share` is its part of all new connections, 0 to 1, and `weight_share` the part that its
    weight asked for (weight_shares.py). `latency_ms` is by class, with the figures of
    TrafficResult.
    """

    address: str
    weight: int
    connections: int | None
    requests: dict[str, int | None]
    active_max: int | None
    inactive_max: int | None
    failures: dict[str, int] = field(default_factory=dict)
    weights: tuple[int, ...] = ()
    utilisation: float | None = None
    busy_max: int | None = None
    queue_max: int | None = None
    predicted: PredictedServer | None = None
    share: float | None = None
    weight_share: float | None = None
    latency_ms: dict[str, dict[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrafficResult:
    """One class in one run; `errors` counts the failures by cause (scenario/failures.py).

    `refused_by` says of those that were refused by whom (refusals.py). `retried`
    are requests that were sent a second time, since a kept connection never took
    them.

    `failures_without_server` are those failures that are in no server's count.

    `latency_ms` has p50, p90, p95, p99, p999 (99.9 %), max and mean of the answered requests,
    each None where there were none; `rps` is finished requests per second of
    the class's own time, from its first planned start to its last end.

    `lateness_ms` has p50, p99 and max of how late an open workload was sent
    (lateness.py), and `arrivals` whether it was sent as asked for; {} and None for a
    closed one.

    `queue_ms` has p50, p95, p99, max and mean of the time that answered requests
    waited at their server for a worker; {} where no server says it.
    `latency_parts_ms` splits the mean latency in what passed until it was sent ("late"),
    "queue", and the "rest", for "all" of them and for the "slowest" 5 %; {} where no
    server says it.

    `lost` are requests that failed since their server left (removal_losses.py); None where none
    left. `weight_departure` is how far the share of new connections of that server is from its
    weight's that is farthest.
    """

    requests: int
    failures: int
    errors: dict[str, int]
    rps: float | None
    latency_ms: dict[str, float | None]
    failures_without_server: int = 0
    refused_by: dict[str, int] = field(default_factory=dict)
    retried: int = 0
    lateness_ms: dict[str, float] = field(default_factory=dict)
    arrivals: ArrivalsResult | None = None
    queue_ms: dict[str, float] = field(default_factory=dict)
    latency_parts_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    lost: int | None = None
    weight_departure: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation; `held` is None where it could not be asked.

    `measured` is the value of the side that measures something; None, with `reason`, without data.
    """

    expression: str
    measured: float | None
    held: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run: one scheduler, one repeat. Not `valid` has `reasons`; `notes` are milder.

    `label` is its name among the scenario's schedulers, and `scheduler` the balancer's own.
    `sampling` is None where there are not enough samples to tell. `verdict` is this
    run's own, whatever became of others. A run that `ended_early` has failed, and its
    expectations were not asked. `directors` are there where several balanced.

    `active_evenness` and `utilisation_evenness` say how evenly the servers were loaded, and
    `weight_departure` is TrafficResult's over all classes. `changes` says how long steps took to
    stand in the kernel's table, `joined` how soon servers that came carried their share.
    `attribution` is by whose word the servers of requests are known; None where nobody read the
    director's list of connections.
    """

    number: int
    scheduler: str
    label: str
    repeat: int
    valid: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    kernel: dict[str, Any]
    servers: tuple[ServerResult, ...]
    traffic: dict[str, TrafficResult]
    expectations: tuple[ExpectationResult, ...]
    seconds: dict[str, float]
    director: DirectorResult = field(default_factory=DirectorResult)
    sampling: SamplingResult | None = None
    verdict: VerdictName = "held"
    ended_early: EarlyEnd | None = None
    directors: tuple[DirectorSplit, ...] = ()
    prediction: Prediction | None = None
    witness: WitnessResult | None = None
    attribution: Attribution | None = None
    active_evenness: EvennessFigures | None = None
    utilisation_evenness: EvennessFigures | None = None
    weight_departure: float | None = None
    changes: tuple[ChangeResult, ...] = ()
    joined: tuple[JoinedServer, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSummary:
    """One real server over a scheduler's repeats, by its number in the order of joining.

    A share is a part of all requests of the class, 0 to 1. `weights` has each course of
    weights that some run had.
    """

    number: int
    connections: MedianRange | None
    active_max: MedianRange | None
    inactive_max: MedianRange | None
    requests: dict[str, MedianRange | None]
    share: dict[str, MedianRange | None]
    failures: dict[str, MedianRange | None] = field(default_factory=dict)
    failed_share: dict[str, MedianRange | None] = field(default_factory=dict)
    weights: tuple[tuple[int, ...], ...] = ()
    utilisation: MedianRange | None = None
    busy_max: MedianRange | None = None
    queue_max: MedianRange | None = None
    predicted: MedianRange | None = None
    share_of_connections: MedianRange | None = None
    weight_share: MedianRange | None = None
    latency_ms: dict[str, dict[str, MedianRange | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrafficSummary:
    """One class over a scheduler's repeats. Shares are parts of all its requests, 0 to 1.

    `errors` counts the failures by kind: "reset", "refused (no server)".
    """

    requests: MedianRange | None
    failures: MedianRange | None
    rps: MedianRange | None
    latency_ms: dict[str, MedianRange | None]
    failed_share: MedianRange | None = None
    failures_without_server: MedianRange | None = None
    share_without_server: MedianRange | None = None
    errors: dict[str, MedianRange | None] = field(default_factory=dict)
    retried: MedianRange | None = None
    lateness_ms: dict[str, MedianRange | None] = field(default_factory=dict)
    queue_ms: dict[str, MedianRange | None] = field(default_factory=dict)
    latency_parts_ms: dict[str, dict[str, MedianRange | None]] = field(default_factory=dict)
    lost: MedianRange | None = None


@dataclass(frozen=True, slots=True)
class SchedulerSummary:
    """One scheduler: medians and ranges over its valid runs, or over all if none is.

    `label` names it: a scheduler may be there several times, set differently. `asked` is
    what the scenario asked to be set, for people. `settings` is what was set, can decide
    more than the scheduler and was not asked for, for people: of the service, and of the
    director where that is not the same in all runs. Of the runs that count, `ended_early` were
    shorter than the others. `prediction` is that of these runs together. `director_us` is how
    long the director had a SYN (witness_result.py); {} where no packet says it.
    `spread` is what its runs say of how servers were used, and of changes.
    """

    scheduler: str
    label: str
    repeats: int
    valid: int
    servers: tuple[ServerSummary, ...]
    traffic: dict[str, TrafficSummary]
    settings: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    directors: tuple[DirectorSummary, ...] = ()
    ended_early: int = 0
    prediction: Prediction | None = None
    director_us: dict[str, MedianRange | None] = field(default_factory=dict)
    spread: SpreadSummary | None = None


@dataclass(frozen=True, slots=True)
class RecordedBy:
    """Which version of ipvsload recorded it, and on which machine the load was made.

    `machine` is None where none made it, as in a simulation, and in earlier records.
    """

    ipvsload: str = ""
    machine: RecordedMachine | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """A recording's results; `ends` says where it ends if not in order.

    `settings` is what was set on the director in all runs and is not usual, and `notes` are of the
    experiment as a whole, for people.
    `columns` has each measure under test of each column, `comparison` every pair of columns by
    each of them, and `baseline` is the label that the others are shown against.
    `self_check` is there where a scheduler was compared with itself, and `regression` where this
    recording was held against a kept one.
    `choices` are the model's of each run, by its number, where its packets were recorded: the
    report draws them. They are not in results.json.
    """

    scenario: str
    title: str
    testbed: str
    started_unix_us: int
    verdict: VerdictName
    runs: tuple[RunResult, ...]
    comparisons: tuple[ExpectationResult, ...] = ()
    schedulers: tuple[SchedulerSummary, ...] = ()
    ends: tuple[str, ...] = field(default=())
    settings: tuple[str, ...] = ()
    baseline: str | None = None
    columns: tuple[MeasuredColumn, ...] = ()
    comparison: tuple[PairComparison, ...] = ()
    recorded_by: RecordedBy = RecordedBy()
    notes: tuple[str, ...] = ()
    self_check: SelfCheckResult | None = None
    regression: RegressionResult | None = None
    choices: Mapping[int, tuple[PredictedChoice, ...]] = field(default_factory=dict, repr=False)

    @property
    def exit_status(self) -> int:
        """The contract's exit status for this verdict."""
        return EXIT_STATUS[self.verdict]

    @property
    def expectations(self) -> tuple[ExpectationResult, ...]:
        """All that was asked, over runs and comparisons."""
        return (*(e for run in self.runs for e in run.expectations), *self.comparisons)

    @property
    def simulated(self) -> bool:
        """Whether no kernel took part: ipvsload's model of IPVS was the director."""
        providers = {run.kernel.get("provider") for run in self.runs if run.kernel}
        return (providers or {self.testbed}) == {MODEL}

    @property
    def kernels(self) -> str:
        """The directors' kernels, for people: "6.1.0 (uml)"; "unknown" where no run began."""
        names = (
            f"{run.kernel.get('release') or 'unknown'} ({run.kernel.get('provider', 'unknown')})"
            for run in self.runs
            if run.kernel
        )
        return ", ".join(dict.fromkeys(names)) or "unknown"

    def to_json(self) -> dict[str, Any]:
        """results.json as an object of plain types."""
        told = asdict(replace(self, choices={}))
        del told["choices"]
        return {"version": FORMAT, **told}
