"""Names of services and servers, there and back."""

from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, htons

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.keys import (
    Identity,
    endpoint,
    join_endpoint,
    join_key,
    parse_endpoint,
    parse_service,
    service_key,
    split_endpoint,
    split_key,
)


@pytest.mark.parametrize(
    "key",
    [
        "tcp 192.0.2.80:80",
        "udp [2001:db8::1]:53",
        "sctp 192.0.2.80:3868",
        "fwmark 7",
        "fwmark 4294967295 v6",
    ],
)
def test_a_key_comes_back(key: str) -> None:
    assert service_key(parse_service(key)) == key


@given(st.ip_addresses(v=4), st.integers(0, 65535))
def test_ipv4(address: IPv4Address, port: int) -> None:
    raw = address.packed.ljust(16, b"\0")
    text = f"{address}:{port}"
    assert endpoint(AF_INET, raw, htons(port)) == text
    assert parse_endpoint(text) == (AF_INET, raw, htons(port))


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_ipv6(address: IPv6Address, port: int) -> None:
    assert parse_endpoint(f"[{address}]:{port}") == (AF_INET6, address.packed, htons(port))
    text = endpoint(AF_INET6, address.packed, htons(port))
    assert parse_endpoint(text) == (AF_INET6, address.packed, htons(port))


@pytest.mark.parametrize(
    "key",
    ["", "tcp", "tcp 192.0.2.80", "tcp 192.0.2.80:x", "tcp 192.0.2.80:65536", "tcp host:80",
     "icmp 192.0.2.1:1", "fwmark 0", "fwmark x", "fwmark 7 v4", "tcp 2001:db8::1:80"],
)  # fmt: skip
def test_what_is_no_key_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_service(key)


def test_an_unknown_protocol_still_has_a_name() -> None:
    odd = Identity(int(AF_INET), 99, bytes(16), 0, 0)
    assert service_key(odd) == "protocol-99 0.0.0.0:0"


@given(st.sampled_from(["192.0.2.1", "2001:db8::1", "name", ""]), st.integers(0, 65535))
def test_an_endpoints_text_comes_back(host: str, port: int) -> None:
    assert split_endpoint(join_endpoint(host, port)) == (host, port)
    assert split_key(join_key(host, port, "udp")) == ("udp", join_endpoint(host, port), False)
    assert split_key(join_key(host, port)).port == port


def test_a_mark_has_no_port() -> None:
    assert split_key("fwmark 7 v6") == ("fwmark", "7", True)
    assert split_key("fwmark 7").port is None


@pytest.mark.parametrize("text", ["", "192.0.2.1", "2001:db8::1:80", "[192.0.2.1]:80", ":", "a:-1"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not ADDRESS:PORT"):
        split_endpoint(text)
