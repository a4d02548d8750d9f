"""Whom a director gave a request to that nobody answered is asked of its sidecar."""

import json
from pathlib import Path

import pytest

from ipvsload.ipvs.connections import server_answer
from ipvsload.testbed.base import ServiceSpec
from tests.external.fake_director import ONE, FakeDirector

CLIENTS = [("192.0.2.101", 1025), ("2001:db8::1", 1026)]
TABLE = """\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0000265 0401 C0000250 0050 C633640C 0050 TIME_WAIT       119
UDP C0000265 0402 C0000250 0050 C633640B 0050 UDP             119
TCP C0000265 0000 C0000250 0000 C633640B 0000 NONE            119
TCP C0000265 0403 C0000251 0050 C633640B 0050 ESTABLISHED     119
""".splitlines()


@pytest.mark.parametrize("service", [("192.0.2.80", 80), ("", 80)])
def test_a_connection_is_found_by_its_client(service: tuple[str, int]) -> None:
    clients = [("192.0.2.101", 0x401), ("192.0.2.101", 0x402), ("192.0.2.102", 0x401)]
    found = {"connection_servers": ["198.51.100.12:80", None, None]}
    assert server_answer(TABLE, service, *clients) == found


def test_clients_that_the_director_knows_by_other_addresses_cannot_be_found() -> None:
    known, others = ("192.0.2.101", 9), ("203.0.113.7", 9)
    service = ("192.0.2.80", 80)
    assert server_answer(TABLE, service, known) == {"connection_servers": [None]}
    assert server_answer(TABLE, service, others) == {"connection_servers": None}
    # Nobody has a connection: it gave the request to none.
    assert server_answer(TABLE[:1], service, others) == {"connection_servers": [None]}


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("tcp 192.0.2.80:80", "192.0.2.80:80"),
        ("tcp 192.0.2.80:0", "192.0.2.80:80"),
        ("tcp [2001:db8::80]:8080", "[2001:db8::80]:8080"),
        ("fwmark 1", ":80"),
    ],
)
def test_the_sidecar_is_asked_by_the_service_and_the_clients(
    tmp_path: Path, key: str, named: str
) -> None:
    director = FakeDirector(tmp_path)
    service = json.loads((tmp_path / "service").read_text())
    (tmp_path / "service").write_text(json.dumps({**service, "key": key}))
    (tmp_path / "connections").write_text(json.dumps({"connection_servers": [ONE, None]}))
    testbed = director.testbed(set_scheduler="", set_weight="", service_key=key)
    testbed.begin(ServiceSpec(""))
    assert testbed.connection_servers(CLIENTS) == [ONE, None]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [named, "192.0.2.101:1025", "[2001:db8::1]:1026"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "unrecognized arguments: --connections"),  # a sidecar of before
        ('{"connection_servers": null}', "knows this load by other addresses"),
        ('{"connection_servers": []}', "knows this load by other addresses"),
        ("rubbish", "rubbish"),
    ],
)
def test_where_it_cannot_be_asked_that_is_said_once(tmp_path: Path, answer: str, said: str) -> None:
    if answer:
        (tmp_path / "connections").write_text(answer)
    told: list[str] = []
    testbed = FakeDirector(tmp_path).testbed(set_scheduler="", set_weight="", tell=told.append)
    testbed.begin(ServiceSpec(""))
    assert testbed.connection_servers(CLIENTS) is None
    assert testbed.connection_servers(CLIENTS) is None
    (line,) = told
    assert said in line
    assert line.startswith("which server a request without an answer went to is not known: ")
