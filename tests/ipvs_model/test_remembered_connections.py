"""Connections that are remembered: again from the same port, of servers that left, of templates."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs_model.director_model import DirectorModel
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import (
    ACTIVE,
    BOTH_SEEN,
    CLIENT_SEEN,
    Side,
    TcpFlag,
    TcpState,
    TcpTimeouts,
)
from ipvsload.ipvs_model.timer_wheel import TimerWheel
from tests.ipvs_model.test_director_model import HZ, ONE, OTHER, S, counts, director

TICK = S // HZ


def ended(model: DirectorModel, client: Client, number: int, now_ns: int) -> None:
    """A whole connection, in no time."""
    model.opened(client, number, now_ns)
    model.closing(client, Side.SERVER, now_ns)
    model.closing(client, Side.CLIENT, now_ns)


def test_a_port_that_comes_again_is_chosen_for_anew_and_the_old_entry_counts_for_a_tick() -> None:
    model = director()
    assert (model.choose(ONE, 0), model.choose(OTHER, 0)) == (1, 0)
    ended(model, ONE, 1, 0)
    assert model.choose(ONE, S) == 1
    assert counts(model, S) == ([0, 0], [1, 0])
    model.opened(ONE, 0, S)
    assert counts(model, S) == ([0, 1], [1, 0])
    assert counts(model, S + TICK) == ([0, 1], [0, 0])
    assert len(model) == 1


@pytest.mark.parametrize(
    ("forwarding", "mode", "kept"),
    [("masq", 0, True), ("masq", 1, False), ("dr", 1, True), ("dr", 2, False), ("dr", 3, False)],
)
def test_whether_it_is_another_connection_is_for_conn_reuse_mode(
    forwarding: str, mode: int, kept: bool
) -> None:
    """Past the director an ended connection is in FIN_WAIT, and the mode has a bit for that."""
    model = director(forwarding, sysctls={"conn_reuse_mode": mode})
    ended(model, ONE, 0, 0)
    assert model.choose(ONE, S) == (0 if kept else 1)
    assert model.choose(OTHER, S) == (1 if kept else 0)


def test_a_syn_sent_again_goes_to_the_same_server_and_is_counted_once() -> None:
    model = director()
    number = model.choose(ONE, 0)
    assert number is not None
    model.opened(ONE, number, 0, answered=False)
    assert model.choose(ONE, S) == number
    model.opened(ONE, number, S)
    assert sum(counts(model, S)[0]) == 1


@pytest.mark.parametrize("persistence", [0, 300])
def test_a_syn_sent_again_to_weight_0_begins_anew_where_such_entries_expire(
    persistence: int,
) -> None:
    sysctls = {"expire_nodest_conn": 1, "expire_quiescent_template": 1}
    model = director(persistence=persistence, sysctls=sysctls)
    model.opened(ONE, 1, 0)
    assert model.choose(ONE, S) == 1
    model.set_weight(1, 0)
    assert model.choose(ONE, S) == 0


@pytest.mark.parametrize(("mode", "nodest"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_follows_an_old_connection_is_no_new_one_to_the_kernel(mode: int, nodest: int) -> None:
    model = director(sysctls={"conn_reuse_mode": mode, "expire_nodest_conn": nodest})
    ended(model, ONE, 1, 0)
    assert model.opened(ONE, 1, S) is bool(mode)
    ended(model, ONE, 1, S)
    model.set_weight(1, 0)
    again = model.choose(ONE, 2 * S)
    assert again == (0 if mode or nodest else 1)
    assert model.opened(ONE, again, 2 * S) is bool(mode or nodest)


@pytest.mark.parametrize("nodest", [0, 1])
def test_the_clients_packets_to_a_server_that_left_are_dropped(nodest: int) -> None:
    model = director(sysctls={"expire_nodest_conn": nodest})
    model.opened(ONE, 0, 0)
    model.leave(0, 0)
    assert model.remembers(ONE, S) is not bool(nodest)
    assert model.choose(ONE, S) == (1 if nodest else None)
    model.closing(ONE, Side.CLIENT, S)
    assert counts(model, S + TICK) == ([0, 1 - nodest], [0, 0])
    if not nodest:
        model.closing(ONE, Side.SERVER, 2 * S)
        assert counts(model, 2 * S) == ([0, 0], [0, 1])


def test_a_server_that_comes_again_has_its_connections_again() -> None:
    model = director()
    model.opened(ONE, 0, 0)
    ended(model, OTHER, 0, 0)
    model.leave(0, 0)
    assert model.join("198.51.100.11:80", 1) == 2
    assert counts(model, S) == ([1, 0, 0], [1, 0, 0])
    model.closing(ONE, Side.CLIENT, S)
    assert counts(model, S) == ([0, 0, 0], [2, 0, 0])
    assert counts(model, 200 * S) == ([0, 0, 0], [0, 0, 0])


def client(last: int, port: int = 2048) -> Client:
    return Client(f"192.0.2.{last}", port)


def test_a_template_has_its_network_s_connections_until_it_times_out() -> None:
    model = director(persistence=600, netmask=28)
    number = model.choose(client(97), 0)
    assert number == 1
    ended(model, client(97), 1, 0)
    assert {model.choose(client(last), 500 * S) for last in range(96, 112)} == {1}
    assert model.choose(client(112), 500 * S) == 0
    ended(model, client(98), 1, 500 * S)
    assert model.choose(client(97, 9), 1_090 * S) == 1
    assert [model.choose(client(97, port), 1_200 * S) for port in (1, 2)] == [1, 0]


def test_a_template_stays_while_it_has_connections_and_is_then_looked_at_each_minute() -> None:
    model = director(persistence=10)
    model.opened(client(1), 1, 0)
    model.opened(client(2), 0, 0)
    model.closing(client(1), Side.CLIENT, 0)
    assert model.choose(client(1, 9), 65 * S) == 1
    # The connection's minute of CLOSE_WAIT is over then, and the template's second one ends.
    model.expire(140 * S)
    assert {model.choose(client(1, port), 141 * S) for port in (1, 2)} == {0, 1}


@pytest.mark.parametrize(("sysctl", "chosen"), [(0, 1), (1, 0)])
def test_a_template_holds_on_to_weight_0_unless_quiescent_ones_expire(
    sysctl: int, chosen: int
) -> None:
    model = director(persistence=600, sysctls={"expire_quiescent_template": sysctl})
    ended(model, client(1), 1, 0)
    model.set_weight(1, 0)
    assert model.choose(client(1, 9), S) == chosen
    model.leave(1, 0)
    assert model.choose(client(1, 9), S) == 0


class Entry(NamedTuple):
    number: int
    state: TcpState
    due: int


class Plain:
    """The same with a list that is gone through: masquerading or not, ports that come again."""

    def __init__(self, forwarding: str) -> None:
        self.direct = forwarding != "masq"
        self.wheel = TimerWheel(HZ)
        self.entries: dict[Client, Entry] = {}
        self.replaced: list[Entry] = []

    def packet(self, who: Client, side: Side, flag: TcpFlag, now: int, state: TcpState) -> TcpState:
        table = CLIENT_SEEN if self.direct else BOTH_SEEN
        return table[side][flag][state]

    def do(self, what: str, who: Client, number: int, side: Side, now: int) -> None:
        self.expire(now)
        entry = self.entries.get(who)
        if what == "open":
            state = TcpState.NONE
            if entry and entry.number == number and entry.state not in (5, 6):
                state = entry.state
            elif entry:
                self.replaced.append(entry._replace(due=self.wheel.fires(now, 0, 0)))
            flags = [TcpFlag.SYN, TcpFlag.ACK]
        elif entry is None or (side and self.direct):
            return
        else:
            number, state = entry.number, entry.state
            flags = [{"fin": TcpFlag.FIN, "rst": TcpFlag.RST, "ack": TcpFlag.ACK}[what]]
        for flag in flags:
            state = self.packet(who, Side(side * (what != "open")), flag, now, state)
        due = self.wheel.fires(now, *self.wheel.rounding(TcpTimeouts()[state] * S))
        self.entries[who] = Entry(number, state, due)

    def expire(self, now: int) -> None:
        self.replaced = [one for one in self.replaced if one.due > now]
        self.entries = {who: one for who, one in self.entries.items() if one.due > now}

    def counts(self, now: int) -> tuple[list[int], list[int]]:
        self.expire(now)
        every = [*self.entries.values(), *self.replaced]
        found = [
            [sum(one.number == n and ACTIVE[one.state] is active for one in every) for n in (1, 0)]
            for active in (True, False)
        ]
        return found[0], found[1]


steps = st.tuples(
    st.sampled_from(["open", "open", "fin", "fin", "ack", "rst"]),
    st.integers(0, 3),
    st.integers(0, 1),
    st.sampled_from(Side),
    st.one_of(st.just(0), st.integers(0, 3 * TICK), st.integers(0, 200 * S)),
)


@given(st.sampled_from(["masq", "dr"]), st.lists(steps, max_size=40))
def test_counts_are_those_of_a_list_that_is_gone_through(
    forwarding: str, done: list[tuple[str, int, int, Side, int]]
) -> None:
    model, plain, now = director(forwarding), Plain(forwarding), 0
    calls = {"fin": model.closing, "rst": model.reset, "ack": model.heard}
    for what, port, number, side, later in done:
        now += later
        who = client(1, port)
        if what == "open":
            model.opened(who, number, now)
        else:
            calls[what](who, side, now)
        plain.do(what, who, number, side, now)
        assert counts(model, now) == plain.counts(now)
    assert counts(model, now + 1_200 * S) == ([0, 0], [0, 0])
    assert len(model) == 0


@given(st.sampled_from([100, 250, 1000]), st.integers(1, 900), st.integers(0, 10**13))
def test_a_timer_fires_after_its_timeout_and_by_its_levels_step_later(
    hz: int, seconds: int, now: int
) -> None:
    wheel = TimerWheel(hz)
    due = wheel.fires(now, *wheel.rounding(seconds * S))
    assert seconds * S < due - now <= seconds * S * 71 // 63 + 2 * wheel.tick_ns


@pytest.mark.parametrize(
    ("hz", "ended_s", "forgotten_s"),
    [(100, 5.90, 125.92), (100, 5.93, 131.04), (250, 30.6, 152.544), (250, 38.6, 158.688)],
)
def test_a_time_wait_ends_at_the_kernels_step_counted_from_its_start(
    hz: int, ended_s: float, forgotten_s: float
) -> None:
    """Steps as seen on user-mode Linux (100) and on the director image (250), on their clocks."""
    wheel = TimerWheel(hz, booted_ns=7 * S)
    ended = round(ended_s * S) + 7 * S
    assert wheel.fires(ended, *wheel.rounding(120 * S)) == round(forgotten_s * S) + 7 * S
