"""What a director counts, from the SYN of a connection until it is forgotten."""

import pytest

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side, TcpTimeouts

S = 1_000_000_000
HZ = 1000
ONE, OTHER = Client("192.0.2.101", 2048), Client("192.0.2.101", 2049)


def director(forwarding: str = "masq", **settings: object) -> DirectorModel:
    plain = ServiceSettings("rr", "192.0.2.80", forwarding=forwarding, hz=HZ)
    model = DirectorModel(plain._replace(**settings))  # type: ignore[arg-type]
    for last in (11, 12):
        model.join(f"198.51.100.{last}:80", 1)
    return model


def counts(model: DirectorModel, now_ns: int) -> tuple[list[int], list[int]]:
    """Active and inactive ones, of the newest server first."""
    model.expire(now_ns)
    return model.servers.active.tolist(), model.servers.inactive.tolist()


def test_a_connection_is_active_until_the_first_fin_and_inactive_until_it_is_forgotten() -> None:
    model = director()
    model.opened(ONE, 0, 0)
    model.opened(OTHER, 1, 0)
    assert counts(model, 0) == ([1, 1], [0, 0])
    model.closing(ONE, Side.SERVER, S)
    assert counts(model, S) == ([1, 0], [0, 1])
    model.closing(ONE, Side.CLIENT, 2 * S)
    assert counts(model, 122 * S) == ([1, 0], [0, 1])
    assert counts(model, 128 * S) == ([1, 0], [0, 0])


@pytest.mark.parametrize(
    ("forwarding", "side", "remembered"),
    [("masq", Side.SERVER, 10), ("masq", Side.CLIENT, 10), ("dr", Side.CLIENT, 10)],
)
def test_a_reset_connection_is_inactive_for_ten_seconds(
    forwarding: str, side: Side, remembered: int
) -> None:
    model = director(forwarding)
    model.opened(ONE, 0, 0)
    model.reset(ONE, side, 0)
    assert counts(model, remembered * S) == ([0, 0], [0, 1])
    assert counts(model, (remembered + 2) * S) == ([0, 0], [0, 0])


@pytest.mark.parametrize("forwarding", ["dr", "tun"])
def test_past_the_director_a_servers_end_is_not_seen(forwarding: str) -> None:
    model = director(forwarding)
    model.opened(ONE, 0, 0)
    model.closing(ONE, Side.SERVER, S)
    model.reset(ONE, Side.SERVER, S)
    assert counts(model, 890 * S) == ([0, 1], [0, 0])
    model.closing(ONE, Side.CLIENT, 890 * S)
    assert counts(model, 890 * S) == ([0, 0], [0, 1])


@pytest.mark.parametrize("forwarding", ["masq", "dr"])
def test_a_syn_that_nobody_answers_is_active_for_a_minute(forwarding: str) -> None:
    model = director(forwarding)
    model.opened(ONE, 0, 0, answered=False)
    assert counts(model, 60 * S) == ([0, 1], [0, 0])
    assert counts(model, 66 * S) == ([0, 0], [0, 0])


def test_timeouts_are_those_of_the_last_packet() -> None:
    model = director(timeouts=TcpTimeouts.of_record({"tcp": 5, "tcp_fin": 3, "udp": 300}))
    model.opened(ONE, 0, 0)
    model.opened(OTHER, 1, 0)
    model.heard(ONE, Side.CLIENT, 4 * S)
    assert counts(model, 6 * S) == ([0, 1], [0, 0])
    model.closing(ONE, Side.SERVER, 7 * S)
    model.set_timeouts(TcpTimeouts())
    assert counts(model, 10 * S) == ([0, 0], [0, 1])
    assert counts(model, 12 * S) == ([0, 0], [0, 0])
    assert len(model) == 0


def test_a_change_of_scheduler_keeps_connections_and_the_bits_of_flags() -> None:
    model = director(scheduler="sh", flags=frozenset(["sh-port"]))
    model.opened(ONE, 0, 0)
    model.set_scheduler("rr")
    assert model.choose(OTHER, S) == 1
    model.set_scheduler("mh")
    assert model.rule.settings.flags == {"mh-port"}
    model.set_scheduler("sh", frozenset())
    assert model.rule.settings.flags == set()
    model.set_scheduler("mh")
    assert model.rule.settings.flags == set()
    assert counts(model, S) == ([0, 1], [0, 0])
