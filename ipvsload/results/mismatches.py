"""Choices that the model does not make, as reports have them: with every server at that moment."""

from collections.abc import Iterable
from math import isfinite

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.replay.decision import Decision, ServerState
from ipvsload.results.prediction import Mismatch, ServerAtChoice


def mismatches(found: Iterable[Decision], scheduler: str, lc_law: int) -> tuple[Mismatch, ...]:
    """These decisions of a run; `lc_law` is how much an active connection counts."""
    return tuple(
        Mismatch(
            connection=one.index + 1,
            at_us=one.t_us,
            client=one.client,
            port=one.port,
            traffic=one.traffic,
            chosen=one.chosen,
            predicted=one.predicted,
            servers=tuple(
                ServerAtChoice(
                    address=server.address,
                    weight=server.weight,
                    active=server.active,
                    inactive=server.inactive,
                    score=server.score
                    if server.score is not None and isfinite(server.score)
                    else None,
                    working=working(server, scheduler, lc_law),
                )
                for server in one.servers
            ),
        )
        for one in found
    )


def working(server: ServerState, scheduler: str, lc_law: int) -> str:
    """The server's score, as it is worked out: "256·3 + 12 = 780"; "" where there is none."""
    if server.score is None:
        return ""
    if not isfinite(server.score):
        return "weight 0"
    rule = RULES.get(scheduler)
    words = rule.working(server.weight, server.active, server.inactive, lc_law) if rule else ""
    return f"{words} = {score_words(server.score)}" if words else score_words(server.score)


def score_words(score: float) -> str:
    """A score: whole, or with as many digits as tell it from most others."""
    return str(int(score)) if score == int(score) else f"{score:.2f}"
