"""fo and ovf: the greatest weight."""

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side

CLIENT = Client("192.0.2.101", 2048)


def director(scheduler: str, *weights: int) -> DirectorModel:
    model = DirectorModel(ServiceSettings(scheduler, "192.0.2.80"))
    for weight in weights:
        model.join(f"198.51.100.{len(model.servers)}:80", weight)
    return model


def held(model: DirectorModel, number: int) -> list[int | None]:
    """Who gets so many connections that are held open; None: nobody."""
    served: list[int | None] = []
    for port in range(2048, 2048 + number):
        chosen = model.choose(Client("192.0.2.101", port), 0)
        served.append(chosen)
        if chosen is not None:
            model.opened(Client("192.0.2.101", port), chosen, 0)
    return served


def test_all_go_to_the_newest_of_those_with_the_greatest_weight() -> None:
    model = director("fo", 2, 3, 3, 1)
    assert held(model, 3) == [2, 2, 2]
    model.set_weight(2, 0)
    assert model.rule.choose(CLIENT) == 1
    model.leave(1, 0)
    assert model.rule.choose(CLIENT) == 0


def test_where_all_weights_are_0_nobody_gets_any() -> None:
    for scheduler in ("fo", "ovf"):
        assert held(director(scheduler), 1) == held(director(scheduler, 0, 0), 1) == [None]


def test_a_server_overflows_at_one_more_than_its_weight() -> None:
    assert held(director("ovf", 1, 2, 0, 2), 9) == [3, 3, 3, 1, 1, 1, 0, 0, None]


def test_a_finished_connection_makes_room() -> None:
    model = director("ovf", 1, 1)
    first = Client("192.0.2.101", 2048)
    assert held(model, 3) == [1, 1, 0]
    model.reset(first, Side.CLIENT, 0)
    assert model.choose(Client("192.0.2.101", 4096), 0) == 1
