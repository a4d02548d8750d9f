"""Which rule of the model stands for which balancer."""

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.model_rule import model_rule, modelled_balancers


def test_each_scheduler_is_its_own_rule_and_chance_is_one_for_all() -> None:
    for name, balancer in BALANCERS.items():
        rule = model_rule(name)
        if balancer.in_ipvs_table:
            assert rule == name
        else:
            assert bool(rule) == (balancer.choice == "chance")
            assert rule is None or RULES[rule].by_chance
    assert [name for name in BALANCERS if model_rule(name)] == modelled_balancers()
    assert model_rule("of a newer kernel") is None
