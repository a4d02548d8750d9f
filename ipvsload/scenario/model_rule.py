"""The rule of the model by which a balancer chooses; here, because the model knows no scenarios."""

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.scenario.balancers import BALANCERS, find

_BY_CHANCE = "random"
"""The rule of what balances by chance without IPVS."""


def model_rule(balancer: str) -> str | None:
    """The name of its rule, a key of RULES; None where the model has none."""
    known = find(balancer)
    if not known.in_ipvs_table:
        return _BY_CHANCE if known.choice == "chance" else None
    return balancer if balancer in RULES else None


def modelled_balancers() -> list[str]:
    """The names of all that the model has a rule for."""
    return [name for name in BALANCERS if model_rule(name)]
