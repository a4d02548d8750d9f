"""Messages between master and workers arrive as they were sent, or are refused with a reason."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.locust_plugin.distributed import messages as m
from ipvsload.locust_plugin.distributed.partition import shares
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget, Tls

ALL: list[Any] = [
    found
    for found in vars(m).values()
    if isinstance(found, type) and hasattr(found, "_fields") and found.__module__ == m.__name__
]
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(max_size=20)
SECONDS = st.floats(0, 1e9)
REQUESTS = st.builds(
    Request, NUMBERS, TEXT, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, TEXT, NUMBERS,
    st.booleans(), st.none() | TEXT, st.none() | TEXT, st.none() | TEXT, NUMBERS, NUMBERS,
    st.none() | NUMBERS, st.none() | NUMBERS, NUMBERS,
)  # fmt: skip
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: NUMBERS,
    str: TEXT,
    float: SECONDS,
    bool: st.booleans(),
    list[str]: st.lists(TEXT, max_size=3),
    list[Any]: st.lists(REQUESTS, max_size=3),
    HttpTarget: st.builds(
        HttpTarget, TEXT, NUMBERS, st.none() | st.builds(Tls, TEXT, st.booleans(), TEXT, TEXT)
    ),
}
BY_NAME = {
    "traffic": st.just({"short": Traffic(request="GET /ip", rate=2.5).model_dump()}),
    "delta": st.just({"version": 1, "labels": {}}),
    "counts": st.dictionaries(TEXT, st.tuples(*[NUMBERS] * 5, st.booleans()), max_size=3),
}


def messages(kind: Any) -> st.SearchStrategy[m.WorkerMessage]:
    """Any message of a type."""
    fields = kind.__annotations__.items()
    return st.builds(
        kind,
        **{name: BY_NAME[name] if name in BY_NAME else VALUES[field] for name, field in fields},
    )


def carried(message: m.WorkerMessage) -> Any:
    """What arrives, as Locust's protocol has it."""
    packed = msgpack.dumps((m.name_of(type(message)), m.to_data(message), "worker"))
    kind, data, _ = msgpack.loads(packed, raw=False, strict_map_key=False)
    assert kind == m.name_of(type(message))
    return data


@given(st.one_of([messages(kind) for kind in ALL]))
def test_a_message_arrives_as_it_was_sent(message: m.WorkerMessage) -> None:
    arrived = m.from_data(type(message), carried(message))
    if isinstance(message, m.LoadProgress):
        assert isinstance(arrived, m.LoadProgress)
        assert [Request(*row) for row in arrived.requests] == message.requests
        assert (arrived.run, arrived.counts) == (message.run, message.counts)
    else:
        assert arrived == message


@pytest.mark.parametrize(
    "spec",
    [
        Traffic(request="GET /delay/10", users=10, requests=10),
        Traffic(users=3, duration=2, think=0.5, connection="keep-alive"),
        Traffic(rate=51, duration=2),
        Traffic(rate=0.5, requests=10, timeout=3),
        Traffic(users=({"from": 1, "to": 50, "over": 30}, 50)),  # type: ignore[arg-type]
        Traffic(
            rate=9,
            duration=2,
            arrivals="poisson",
            request="GET /delay/{work}",
            work="pareto 10ms 1.5",  # type: ignore[arg-type]  # as a scenario writes it
        ),
    ],
)
def test_a_share_of_traffic_is_read_back_as_it_was(spec: Traffic) -> None:
    for share in filter(None, shares(spec, 3)):
        traffic = {"it": share.spec_to_json()}
        message = m.BeginLoad(
            1, HttpTarget("a", 443, Tls(insecure=True)), broker="", traffic=traffic, key="1/1"
        )
        arrived = m.from_data(m.BeginLoad, carried(message))
        assert arrived.target == message.target
        assert Traffic(**arrived.traffic["it"]) == share.spec


def test_each_type_has_a_name_of_its_own() -> None:
    assert len({m.name_of(kind) for kind in ALL}) == len(ALL) == 19
    assert all(m.name_of(kind).startswith("ipvsload_") for kind in ALL)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "a message of format None, and this process has 4"),
        ([], "a message of format None"),
        ({"run": 1, "reason": "x"}, "a message of format None"),
        ([1, 1, "x"], "a message of format 1"),
        ([4, 1], "a malformed message ipvsload_loadbroken"),
        ([4, "one", "x"], "a malformed message ipvsload_loadbroken"),
        ([4, 1, "x", 1], "a malformed message"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(data: Any, reason: str) -> None:
    with pytest.raises(ValueError, match="master and workers must run the same version") as error:
        m.from_data(m.LoadBroken, data)
    assert reason in str(error.value)


class Runner:
    """Where Locust's runner registers listeners, and what it would send."""

    def __init__(self) -> None:
        self.listeners: dict[str, Any] = {}
        self.sent: list[tuple[str, Any, str | None]] = []

    def register_message(self, kind: str, listener: Any, concurrent: bool) -> None:
        self.listeners[kind] = listener

    def send_message(self, kind: str, data: Any, client_id: str | None) -> None:
        self.sent.append((kind, data, client_id))


def test_messages_are_handed_over_with_their_senders_name() -> None:
    runner: Any = Runner()
    heard: list[Any] = []
    refused: list[Any] = []
    m.listen(
        runner, m.ClockPing, lambda *said: heard.append(said), lambda *said: refused.append(said)
    )
    m.send(runner, m.ClockPing(7), "worker-1")
    ((kind, data, worker),) = runner.sent
    assert worker == "worker-1"
    for content in (data, [99]):
        msg = type("Msg", (), {"data": content, "node_id": "master"})
        runner.listeners[kind](environment=None, msg=msg)
    assert heard == [("master", m.ClockPing(7))]
    assert [name for name, _ in refused] == ["master"]
    assert "format 99" in str(refused[0][1])
