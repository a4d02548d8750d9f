"""The rule of the model by which a balancer chooses; here, because the model knows no scenarios."""

from collections.abc import Iterable

from ipvsload.errors import UsageError
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.scenario.balancers import BALANCERS, find
from ipvsload.scenario.variant import Variant
from ipvsload.scenario.words import listed, nearest, quoted

_BY_CHANCE = "random"
"""The rule of what balances by chance without IPVS."""


def model_rule(balancer: str) -> str | None:
    """The name of its rule, a key of RULES; None where the model has none."""
    known = find(balancer)
    if not known.in_ipvs_table:
        return _BY_CHANCE if known.choice == "chance" else None
    return balancer if balancer in RULES else None


def refuse_unknown_rules(variants: Iterable[Variant]) -> None:
    """Raise UsageError where the model has no rule for one of these, with those that it has."""
    known = modelled_balancers()
    for one in variants:
        if model_rule(one.scheduler) is None:
            near = nearest(one.scheduler, known)
            meant = f"; the nearest is {quoted(near)}" if near else ""
            raise UsageError(
                f"{quoted(one.scheduler)}: the model has no rule for it{meant}. It has"
                f" {listed(known)}; --scheduler chooses"
            )


def modelled_balancers() -> list[str]:
    """The names of all that the model has a rule for."""
    return [name for name in BALANCERS if model_rule(name)]
