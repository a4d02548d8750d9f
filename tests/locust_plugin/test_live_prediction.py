"""The prediction on the page: the model's choices, as of the kernel's counts, or why none."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.ipvs.table import VirtualService
from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.load.connection_watch import ConnectionEnd
from ipvsload.locust_plugin.live import live_prediction
from ipvsload.locust_plugin.live.live_prediction import LivePrediction
from ipvsload.locust_plugin.live.model_followers import DRAWS
from ipvsload.locust_plugin.live.prediction_basis import PredictionBasis
from tests.locust_plugin.samples import KEY, server, service

CLIENT, SECOND_NS = "192.0.2.101", 1_000_000_000
A, B, C = (f"198.51.100.{n}:80" for n in (11, 12, 13))
CERTAIN = sorted(name for name, rule in RULES.items() if not rule.by_chance)

Steps = Sequence[tuple[int, bool]]
"""For each connection the ns since the last one, and whether the oldest one ends before it."""
connections = st.lists(st.tuples(st.integers(0, 3 * SECOND_NS), st.booleans()), max_size=80)


class Test:
    """A test whose service `table` shows; every sample finds that all counts have moved."""

    __test__ = False

    def __init__(self, scheduler: str = "lc", servers: Iterable[str] = (A, B, C), why: str = ""):
        self.changes = 0
        self.prediction = LivePrediction(lambda node, key: None, self._changed)
        self.prediction.begin(PredictionBasis(why), KEY)
        self.scheduler, self.addresses = scheduler, list(servers)
        self.weights = dict.fromkeys(self.addresses, 1)
        self.counted = self.ports = self.t_us = 0
        self.sample()

    def _changed(self) -> None:
        self.changes += 1

    def table(self, counts: Iterable[int]) -> VirtualService:
        """The newest server first, as the kernel lists them."""
        rows = [
            server(address, (0, 0, count), self.weights[address])
            for address, count in zip(self.addresses, counts, strict=True)
        ]
        return service(rows[::-1], scheduler=self.scheduler, persistent=0)

    def sample(self, seconds: float = 0.1, moved: bool = True, node: str = "director") -> None:
        self.t_us += int(seconds * 1e6)
        self.counted += moved
        table = self.table([self.counted] * len(self.addresses))
        self.prediction.sampled(node, self.t_us, table)

    def connect(self, now_ns: int = 0) -> int:
        self.ports += 1
        self.prediction.opened(CLIENT, self.ports, now_ns)
        return self.ports

    def end(self, port: int, now_ns: int = 0, how: ConnectionEnd = ConnectionEnd.CLOSED) -> None:
        self.prediction.ended(CLIENT, port, now_ns, how)

    def counts(self) -> dict[str, float]:
        while self.prediction.work():
            pass
        return {address: count.mean for address, count in self.prediction.servers.items()}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(steps=connections, scheduler=st.sampled_from(CERTAIN))
def test_it_is_the_models_serial_choice(steps: Steps, scheduler: str) -> None:
    test = Test(scheduler)
    model = DirectorModel(ServiceSettings(scheduler, "192.0.2.80"))
    for address in test.addresses:
        model.join(address, 1)
    chosen = Counter(dict.fromkeys(test.addresses, 0))
    now, still_open = 0, list[int]()
    for gap, ends in steps:
        now += gap
        if ends and still_open:
            port = still_open.pop(0)
            test.end(port, now)
            for side in Side:
                model.closing(Client(CLIENT, port), Side(1 - side), now)
        port = test.connect(now)
        number = model.choose(Client(CLIENT, port), now)
        if number is not None:  # ovf has room for one a server
            model.opened(Client(CLIENT, port), number, now)
            chosen[test.addresses[number]] += 1
            still_open.append(port)
    test.sample()
    assert test.counts() == chosen
    assert sum(chosen.values()) <= len(steps)
    if scheduler != "ovf":
        assert sum(test.counts().values()) == len(steps)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(many=st.integers(0, 200))
def test_what_is_drawn_by_chance_is_drawn_more_than_once(many: int) -> None:
    test = Test("twos")
    for _ in range(many):
        test.end(test.connect())
    test.sample()
    assert sum(test.counts().values()) == pytest.approx(many)
    found = test.prediction.servers.values()
    assert all(one.least <= one.mean <= one.most for one in found)
    assert test.prediction.draws == DRAWS
    if many > 100:
        assert any(one.least < one.most for one in found)


def test_where_chances_are_known_so_are_the_mean_and_the_spread() -> None:
    # A balancer without a table of IPVS has a name of its own.
    test = Test("iptables", (A, B))
    for _ in range(400):
        test.end(test.connect())
    test.addresses.append(C)
    test.weights |= {B: 0, C: 1}
    test.sample()
    test.sample()
    assert test.prediction.draws == 0
    for _ in range(100):
        test.connect()
    test.prediction.gone("director")
    assert test.counts() == {A: 250, B: 200, C: 50}
    least, most = test.prediction.servers[C][1:]
    # 95 % of a binomial's 100 draws at a half; exactly they are 40 to 60 (96.5 %).
    assert (least, most) == (40, 60)
    assert test.prediction.servers[B][1:] == (180, 220)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(parts=st.lists(st.tuples(st.integers(0, 50), st.sets(st.sampled_from([A, B, C])))))
def test_expected_counts_add_up_to_the_connections(parts: list[tuple[int, set[str]]]) -> None:
    test, served = Test("nftables"), 0
    for many, drained in parts:
        test.weights = {address: int(address not in drained) for address in test.addresses}
        test.sample()
        for _ in range(many):
            test.connect()
        served += many * (len(drained) < 3)
    test.sample()
    test.prediction.gone("director")
    assert sum(test.counts().values()) == pytest.approx(served)
    found = test.prediction.servers.values()
    assert all(0 <= one.least <= one.mean + 0.5 and one.mean <= one.most + 0.5 for one in found)
    assert all(one.most <= served for one in found)


def test_a_count_is_as_old_as_the_kernels() -> None:
    test = Test("rr")
    for _ in range(3):
        test.connect()
    test.sample()
    assert test.counts() == {A: 1, B: 1, C: 1}
    for _ in range(3):
        test.connect()
    test.sample(moved=False)
    assert test.counts() == {A: 1, B: 1, C: 1}
    # What has not moved for longer than a refresh takes has had nothing since.
    test.sample(2.3, moved=False)
    assert test.counts() == {A: 2, B: 2, C: 2}


def test_one_refresh_that_two_samples_find_is_one() -> None:
    test = Test("rr", (A, B))
    test.connect()
    test.prediction.sampled("director", 200_000, test.table([1, 2]))
    test.connect()
    test.connect()
    test.prediction.sampled("director", 300_000, test.table([2, 2]))
    assert test.counts() == {A: 0, B: 1}
    test.prediction.sampled("director", 400_000, test.table([3, 3]))
    assert test.counts() == {A: 1, B: 2}


def test_servers_join_leave_and_are_drained_as_samples_show() -> None:
    test = Test("rr", (A, B))
    test.weights[A] = 0
    test.sample()
    for _ in range(4):
        test.connect()
    test.weights.pop(B)
    test.weights |= {A: 1, C: 1}
    test.addresses = [A, C]
    test.sample()
    for _ in range(4):
        test.connect()
    test.scheduler = "fo"
    test.sample()
    for _ in range(5):
        test.connect()
    test.sample(2.3)
    test.sample(2.3)
    # What B got before it left no sample has counted.
    assert test.counts() == {A: 2, B: 0, C: 7}


def test_the_last_counts_of_a_service_are_the_last_ones() -> None:
    test = Test("rr")
    for _ in range(3):
        test.connect()
    test.sample()
    test.connect()
    test.sample(moved=False)
    test.prediction.gone("another")
    assert test.counts() == {A: 1, B: 1, C: 1}
    test.prediction.gone("director")
    assert test.counts() == {A: 1, B: 1, C: 2}
    test.prediction.gone("director")
    assert test.counts() == {A: 1, B: 1, C: 2}


def test_a_connection_that_nobody_answers_counts_for_a_minute() -> None:
    test = Test("lc", (A, B))
    test.end(test.connect(), how=ConnectionEnd.UNANSWERED)  # B has one
    for second in (1, 2, 3, 80, 81):
        test.end(test.connect(second * SECOND_NS), second * SECOND_NS)
    # The port may be another connection's by then.
    test.sample()
    assert test.counts() == {A: 3, B: 3}


def test_a_server_that_is_known_to_have_joined_needs_no_sample() -> None:
    prediction = LivePrediction(lambda node, key: None, lambda: None)
    prediction.begin(PredictionBasis(), KEY)
    prediction.joined(A, 1)
    prediction.opened(CLIENT, 1, 0)
    assert not prediction.work()  # the scheduler's flags are a sample's
    prediction.sampled("director", 0, service([server(A, (0, 0, 0))], scheduler="lc", persistent=0))
    prediction.joined(B, 1)
    prediction.opened(CLIENT, 2, 1)
    table = service(
        [server(address, (1, 0, 1)) for address in (B, A)], scheduler="lc", persistent=0
    )
    prediction.sampled("director", 100_000, table)
    prediction.work()
    assert {a: c.mean for a, c in prediction.servers.items()} == {A: 1, B: 1}


def test_a_reset_is_forgotten_before_a_close() -> None:
    """Of two servers, one whose connection was reset has fewer of them after ten seconds."""
    test = Test("lc", (A, B))
    first, second = test.connect(), test.connect()  # B, the newest, and A
    test.end(first, how=ConnectionEnd.RESET)
    test.end(second)
    for number in range(2):
        test.end(test.connect((13 + number) * SECOND_NS), (13 + number) * SECOND_NS)
    test.sample()
    assert test.counts() == {A: 1, B: 3}


@pytest.mark.parametrize(
    ("flags", "why"), [(4, "each packet for itself"), (1, "for how long the service is persistent")]
)
def test_services_that_the_model_does_not_know(flags: int, why: str) -> None:
    prediction = LivePrediction(lambda node, key: None, lambda: None)
    prediction.begin(PredictionBasis(), KEY)
    prediction.sampled("n", 0, service([], flags=flags, persistent=0))
    assert why in prediction.why


def test_it_says_why_there_is_none() -> None:
    test = Test("nftables-hash")
    assert test.prediction.why == "the model does not know the rule of nftables-hash"
    test = Test(why="workers make the load")
    test.connect()
    test.sample()
    assert (test.counts(), test.prediction.why) == ({}, "workers make the load")
    test = Test()
    test.sample(node="director-2")
    assert "several directors" in test.prediction.why
    for scheduler, why in (("twos", "changed to twos"), ("best", "rule of best")):
        test = Test()
        test.scheduler = scheduler
        test.sample()
        assert test.counts() == {}
        assert why in test.prediction.why


def test_it_ends_where_it_would_cost_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    test = Test()
    before = test.changes
    for _ in range(live_prediction.MOST_WAITING + 1):
        test.connect()
    assert test.counts() == {}
    assert "quicker than the model follows" in test.prediction.why
    assert test.changes == before + 1
    monkeypatch.setattr(live_prediction, "MOST_REMEMBERED", 50)
    test = Test()
    for _ in range(51):
        test.end(test.connect())
    assert test.counts() == {}
    assert "remember more than" in test.prediction.why
    # The next test has one again.
    test.prediction.begin(PredictionBasis(), KEY)
    assert test.prediction.why == ""


def test_the_load_waits_for_a_little_of_it_only() -> None:
    test = Test()
    for _ in range(1000):
        test.connect()
    assert test.prediction.work()
    assert sum(1 for _ in iter(test.prediction.work, False)) == 2
