"""lblc and lblcr: one server for the address, until it is overloaded."""

import pytest

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.server_list import ServerList

CLIENT = Client("192.0.2.101", 2048)


def service(scheduler: str, *weights: int) -> SchedulerRule:
    servers = ServerList()
    for weight in weights:
        servers.join(f"198.51.100.{len(servers)}:80", weight)
    return RULES[scheduler](servers, RuleSettings("192.0.2.80"))


def count(rule: SchedulerRule, number: int, active: int) -> None:
    rule.servers.active[rule.servers.place(number)] = active
    rule.counted(number)


def reweigh(rule: SchedulerRule, number: int, weight: int) -> None:
    rule.servers.weights[rule.servers.place(number)] = weight
    rule.changed()


def test_lblc_stays_while_its_server_has_no_more_than_its_weight() -> None:
    rule = service("lblc", 4, 4)
    assert rule.choose(CLIENT) == 1
    count(rule, 1, 4)
    assert rule.choose(CLIENT) == 1
    count(rule, 1, 5)
    assert rule.choose(CLIENT) == 0
    count(rule, 1, 0)
    assert rule.choose(CLIENT) == 0


def test_lblc_stays_where_no_other_has_less_than_half_its_weight() -> None:
    rule = service("lblc", 4, 4)
    assert rule.choose(CLIENT) == 1
    count(rule, 0, 2)
    count(rule, 1, 50)
    assert rule.choose(CLIENT) == 1
    count(rule, 0, 1)
    assert rule.choose(CLIENT) == 0


def test_lblc_leaves_a_server_without_weight_or_that_has_left() -> None:
    rule = service("lblc", 1, 1, 1)
    assert rule.choose(CLIENT) == 2
    reweigh(rule, 2, 0)
    assert rule.choose(CLIENT) == 1
    reweigh(rule, 2, 1)
    assert rule.choose(CLIENT) == 1
    rule.servers.leave(1)
    rule.changed()
    assert rule.choose(CLIENT) == 2
    for number in (0, 2):
        reweigh(rule, number, 0)
    assert rule.choose(CLIENT) is None


def test_lblcr_adds_a_server_when_the_least_of_its_set_is_overloaded() -> None:
    rule = service("lblcr", 2, 2, 2)
    assert rule.choose(CLIENT) == 2
    count(rule, 2, 3)
    assert rule.choose(CLIENT) == 1
    count(rule, 1, 2)
    assert rule.choose(CLIENT) == 1
    count(rule, 2, 1)
    assert rule.choose(CLIENT) == 2  # it is still in the set; lblc has forgotten it
    count(rule, 2, 3)
    count(rule, 1, 3)
    assert rule.choose(CLIENT) == 0


def test_of_equals_in_its_set_lblcr_takes_the_last_that_came_in() -> None:
    rule = service("lblcr", 2, 2)
    assert rule.choose(CLIENT) == 1
    count(rule, 1, 3)
    assert rule.choose(CLIENT) == 0
    count(rule, 0, 3)
    assert rule.choose(CLIENT) == 0


def test_lblcr_leaves_out_what_has_no_weight_or_has_left() -> None:
    rule = service("lblcr", 1, 1)
    assert rule.choose(CLIENT) == 1
    reweigh(rule, 1, 0)
    assert rule.choose(CLIENT) == 0
    reweigh(rule, 1, 1)
    count(rule, 0, 1)
    assert rule.choose(CLIENT) == 1
    rule.servers.leave(1)
    rule.changed()
    assert rule.choose(CLIENT) == 0
    reweigh(rule, 0, 0)
    assert rule.choose(CLIENT) is None


@pytest.mark.parametrize("scheduler", ["lblc", "lblcr"])
def test_a_server_that_comes_again_is_the_one_of_before(scheduler: str) -> None:
    rule = service(scheduler, 5, 5)
    assert rule.choose(CLIENT) == 1
    rule.servers.leave(1)
    rule.changed()
    assert rule.servers.join(rule.servers.addresses[1], 5) == 2
    rule.changed()
    count(rule, 2, 3)  # of before, and wlc would take the other
    assert rule.choose(CLIENT) == 2
