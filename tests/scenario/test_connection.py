"""How a scenario says what requests are carried by."""

from typing import Any

import pytest

from ipvsload.scenario.connection import Lifetime
from ipvsload.scenario.model import Traffic
from tests.scenario.test_scenario_transcript import GOOD, said


@pytest.mark.parametrize(
    ("written", "lifetime"),
    [
        ("new", None),
        ("keep-alive", None),
        ({"keep-alive": "100 requests"}, Lifetime("100 requests", requests=100)),
        ({"keep-alive": "1 request"}, Lifetime("1 request", requests=1)),
        ({"keep-alive": "1.5m"}, Lifetime("1.5m", seconds=90)),
    ],
)
def test_what_is_written_is_meant_also_by_a_worker(written: Any, lifetime: Lifetime | None) -> None:
    spec = Traffic(users=1, connection=written)
    assert spec.lifetime == lifetime
    assert spec.model_dump(exclude_unset=True)["connection"] == written
    assert Traffic(**spec.model_dump(exclude_unset=True)) == spec


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ("{keep-alive: 0 requests}", "6:58: a connection carries at least 1 request"),
        ("{keep-alive: 100}",
         "6:58: expected a number of requests or a time, such as 100 requests or 30s"),
        ("{keep-alive: 0s}",
         "6:58: expected a number of requests or a time, such as 100 requests or 30s"),
        ("{keepalive: 30s}", "6:46: unknown key 'keepalive'; did you mean 'keep-alive'?"),
        ("{keep-alive: 30s, new: 1s}", "6:63: unknown key 'new'; the keys are keep-alive"),
        ("{}", "6:45: 'connection': expected {keep-alive: 100 requests} or {keep-alive: 30s}, "
         "found a mapping"),
        ("kept", "6:45: 'connection': expected new or keep-alive, found the text 'kept'; "
         "the words are new and keep-alive"),
    ],
)  # fmt: skip
def test_what_is_refused(connection: str, message: str) -> None:
    text = GOOD.replace(
        "users: 5, requests: 100", f"users: 5, requests: 100, connection: {connection}"
    )
    [line] = said(text)
    assert line.partition(" ")[2] == message.partition(" ")[2]
    assert line.startswith("t.yaml:6:")
