"""A recorded run through the model: each decision, and all of them counted."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

from ipvsload.ipvs.lc_laws import LC_LAWS, USUAL_LC_LAW
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.record.reader import RecordedRun
from ipvsload.record.witness import Witness
from ipvsload.replay.decision import Decision, PredictedChoice
from ipvsload.replay.director_replay import DirectorReplay
from ipvsload.replay.observed_run import ObservedRun
from ipvsload.replay.order_search import Replayed, TooManyOrdersError
from ipvsload.replay.told_settings import NotReplayableError, rule_name
from ipvsload.scenario.model import Scenario

_MOST_TOLD = 5
_WIDTHS = (4, 16, 64, 256)
"""How many places an event may be moved in its line, one try after the other."""
_LEAST_BY_COUNTS = 64
"""The narrowest search for a rule that goes by counts alone."""
_HOPELESS = 0.2
"""Where a larger part is not explained, it is not for the order of events."""
_MOST_POSITIONS = 6_000_000
"""No wider search for more connections times places: this takes some forty seconds."""


class RunReplay(NamedTuple):
    """All of a run's decisions, counted. `connections` is their number.

    `unexplained` are those that are neither matched nor consistent, of which the first few are
    in `first`. `predicted` is what the model alone would have given to each server's address,
    with the same arrivals and ends of connections. `lc_law` is the law that was used; None where
    neither the record nor the choices tell it. `widest` is how far events were moved at most.
    `choices` are the model's, one for each connection. `exact` says whether packets gave the
    order, without any doubt.
    """

    connections: int
    matched: int
    consistent: int
    unexplained: int
    first: tuple[Decision, ...]
    predicted: dict[str, int]
    lc_law: int | None
    widest: int
    choices: tuple[PredictedChoice, ...]
    exact: bool


def decisions(
    run: RecordedRun,
    scenario: Scenario | None,
    witness: Witness | None,
    *,
    every_table: bool = True,
) -> Iterator[Decision]:
    """Each decision of the run; those of several directors about in the order of time.

    `witness` are its packets, None where nobody watched them. Without `every_table`, none
    has the servers' states. Raises NotReplayableError.
    """
    observed = ObservedRun(run, scenario, witness)
    law, widest = recorded_law(run), _WIDTHS[-1]
    if law is None or not all(p.exact for p in _parts(observed, law, widest)):
        found = _best(observed)
        law, widest = found.lc_law or USUAL_LC_LAW, found.widest
    return _decisions(observed, law, widest, every_table=every_table)


def replay(run: RecordedRun, scenario: Scenario | None, witness: Witness | None) -> RunReplay:
    """Count them, and have the model choose alone. Raises NotReplayableError.

    Where the record does not have the law of lc and its kin, it is the one that explains more.
    """
    return _best(ObservedRun(run, scenario, witness))


def _best(observed: ObservedRun) -> RunReplay:
    known = recorded_law(observed.run)
    if known is not None:
        return _replay(observed, known)
    older, newer = (_replay(observed, law) for law in LC_LAWS)
    quality = [(-one.unexplained, one.matched) for one in (older, newer)]
    if quality[0] == quality[1]:
        return older._replace(lc_law=None)
    return older if quality[0] > quality[1] else newer


def recorded_law(run: RecordedRun) -> int | None:
    """The record's own `lc_law`, one of LC_LAWS."""
    law = run.kernel.get("lc_law")
    return law if isinstance(law, int) else None


def _replay(observed: ObservedRun, law: int) -> RunReplay:
    """With wider searches as long as something is not explained, and time allows."""
    best: RunReplay | None = None
    for widest in _WIDTHS:
        if best is not None and best.connections * widest > _MOST_POSITIONS:
            break
        parts = _parts(observed, law, widest)
        if all(part.exact for part in parts) and widest != _WIDTHS[-1]:
            continue  # it is as quick with the widest one
        if all(part.by_counts for part in parts) and widest < _LEAST_BY_COUNTS:
            continue  # a wider one is nearly as quick
        try:
            found = _counted(parts, law, widest)
        except TooManyOrdersError:
            break
        if best is None or found.unexplained < best.unexplained:
            best = found
        if not best.unexplained or best.unexplained > _HOPELESS * best.connections:
            break
    if best is None:
        raise NotReplayableError("too many orders of its events are possible")
    if best.matched < best.connections:
        given = sum((part.alone() for part in parts), Counter())
        best = best._replace(predicted={address: given[address] for address in best.predicted})
    if best.unexplained:
        every = _decisions(observed, law, best.widest)
        surprising = (one for one in every if one.verdict not in ("matched", "consistent"))
        best = best._replace(first=tuple(islice(surprising, _MOST_TOLD)))
    return best


def _counted(parts: list[DirectorReplay], law: int, widest: int) -> RunReplay:
    verdicts: Counter[str] = Counter()
    given: Counter[str] = Counter()
    choices: list[PredictedChoice] = []
    for part in parts:
        for one in part.replayed():
            verdicts[one.verdict] += 1
            client, port = one.event.client or ("", 0)
            server = part.address(one.predicted)
            choices.append(PredictedChoice(one.event.t_ns // 1000, client, port, server))
            if one.event.chosen is not None:
                given[part.addresses[one.event.chosen]] += 1
    matched, consistent = verdicts["matched"], verdicts["consistent"]
    unexplained = verdicts.total() - matched - consistent
    addresses = dict.fromkeys(address for part in parts for address in part.addresses)
    predicted = {address: given[address] for address in addresses}
    return RunReplay(
        connections=verdicts.total(),
        matched=matched,
        consistent=consistent,
        unexplained=unexplained,
        first=(),
        predicted=predicted,
        lc_law=law,
        widest=widest,
        choices=tuple(choices),
        exact=all(part.exact for part in parts),
    )


def _decisions(
    observed: ObservedRun, law: int, widest: int, *, every_table: bool = True
) -> Iterator[Decision]:
    parts = _parts(observed, law, widest, every_table=every_table)
    traffic = _TrafficOfPorts(observed.run)
    for index, (part, one) in enumerate(_merged(parts)):
        yield _decision(index, part, one, traffic)


def _parts(
    observed: ObservedRun, law: int, widest: int, *, every_table: bool = False
) -> list[DirectorReplay]:
    scheduler = observed.run.scheduler
    if RULES[rule_name(scheduler)].by_chance:
        raise NotReplayableError(
            f"{scheduler} draws by chance: no single choice of it can be foretold"
        )
    return [
        DirectorReplay(director, observed, widest, every_table=every_table)
        for director in observed.directors(law)
    ]


def _merged(parts: list[DirectorReplay]) -> Iterator[tuple[DirectorReplay, Replayed]]:
    def of_one(part: DirectorReplay) -> Iterator[tuple[DirectorReplay, Replayed]]:
        return ((part, one) for one in part.replayed())

    return iter(merge(*map(of_one, parts), key=lambda one: one[1].event.t_ns))


class _TrafficOfPorts:
    """Which class a connection is of: that of the request that began on its port last."""

    def __init__(self, run: RecordedRun) -> None:
        self._found: dict[tuple[str, int], list[tuple[int, str]]] = {}
        opened = run.requests.rows(lambda block: block.where(block.opened & (block.port != 0)))
        for one in opened:
            self._found.setdefault((one.client, one.port), []).append((one.start_us, one.traffic))
        for begun in self._found.values():
            begun.sort()

    def of(self, client: str, port: int, t_us: int) -> str | None:
        begun = self._found.get((client, port))
        if not begun:
            return None
        return begun[max(0, bisect_right(begun, (t_us, "\U0010ffff")) - 1)][1]


def _decision(
    index: int, part: DirectorReplay, one: Replayed, traffic: _TrafficOfPorts
) -> Decision:
    client, port = one.event.client or ("", 0)
    t_us = one.event.t_ns // 1000
    return Decision(
        index,
        t_us,
        client,
        port,
        traffic.of(client, port, t_us),
        part.address(one.event.chosen),
        part.address(one.predicted),
        one.verdict,
        one.servers,
        part.director.number,
        one.event.asked,
    )
