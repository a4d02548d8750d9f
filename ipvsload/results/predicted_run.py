"""A run replayed through the model, as results have it.

The model stands on numpy, which is imported only where a run is replayed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.record.format import MODEL, FormatError
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.replay.decision import PredictedChoice
from ipvsload.results.prediction import PredictedServer, Prediction
from ipvsload.scenario.model import Scenario

MOST_CONNECTIONS = 2_000_000
"""More are not replayed: a million take half a minute."""
MOST_BY_TIMES = 30_000
"""So many where only the times of requests are known: an order of events is looked for then."""


class PredictedRun(NamedTuple):
    """What the model says of a run: of all of it, and of servers by their address.

    All are empty where it says nothing; `note` says why where that is not for lack of a rule.
    `choices` are the model's, one for each connection.
    """

    prediction: Prediction | None = None
    servers: Mapping[str, PredictedServer] = MappingProxyType({})
    note: str = ""
    choices: tuple[PredictedChoice, ...] = ()


def predicted_run(
    recording: Recording, run: RecordedRun, scenario: Scenario | None
) -> PredictedRun:
    """Replay the run, with what its record has of packets, else by the times of its requests."""
    connections = run.requests.connections
    if not connections:
        return PredictedRun()
    if connections > MOST_CONNECTIONS:
        return PredictedRun(
            note=f"not replayed through the model: {connections} connections are too many for it"
        )
    from ipvsload.replay.replayed_run import replay
    from ipvsload.replay.told_settings import NotReplayableError
    from ipvsload.results.mismatches import mismatches

    try:
        witness = recording.witness(run)
    except FormatError as error:
        return PredictedRun(note=f"not replayed through the model: {error}")
    if witness is None and connections > MOST_BY_TIMES:
        return PredictedRun(
            note=f"not replayed through the model: {connections} connections are too many for it "
            "without packets; explain takes as long as it needs"
        )
    try:
        found = replay(run, scenario, witness)
    except NotReplayableError:
        return PredictedRun()
    return PredictedRun(
        Prediction(
            found.connections,
            found.matched,
            found.consistent,
            found.unexplained,
            witness=witness is not None,
            exact=found.exact,
            simulated=run.kernel.get("provider") == MODEL,
            mismatches=mismatches(found.first, run.scheduler, found.lc_law or USUAL_LC_LAW),
        ),
        {address: PredictedServer(many) for address, many in found.predicted.items()},
        choices=found.choices,
    )
