"""Which virtual service of a table a URL reaches: named, by the kernel's rule, or guessed."""

from collections.abc import Sequence

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.table import VirtualService
from ipvsload.testbed.external.service_choice import canonical_key, choose, named

URL = "http://it"
VIP = ["192.0.2.80"]


def table(*keys: str) -> Sequence[VirtualService]:
    return [VirtualService(key, "rr", 0, 0, 0, 0, 0, 0, 0, ()) for key in keys]


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        # A UDP twin is no rival, on any side.
        (("udp 192.0.2.80:80", "tcp 192.0.2.80:80", "fwmark 1"), "tcp 192.0.2.80:80"),
        # The kernel looks for the port first, then for the service that takes every port.
        (("tcp 192.0.2.80:0", "tcp 192.0.2.80:80"), "tcp 192.0.2.80:80"),
        (("tcp 192.0.2.80:0", "tcp 192.0.2.80:443", "udp 192.0.2.80:80"), "tcp 192.0.2.80:0"),
    ],
)
def test_the_kernels_rule_is_no_guess(keys: tuple[str, ...], chosen: str) -> None:
    service, guess = choose(table(*keys), VIP, 80, URL)
    assert (service.key, guess) == (chosen, "")


def test_an_ipv6_address_is_found() -> None:
    service, guess = choose(table("tcp [2001:db8::80]:80"), ["2001:db8::80"], 80, URL)
    assert (service.key, guess) == ("tcp [2001:db8::80]:80", "")


@pytest.mark.parametrize(
    ("keys", "chosen", "why"),
    [
        (("tcp 10.0.0.1:80", "udp 10.0.0.1:80", "fwmark 3"), "tcp 10.0.0.1:80", "TCP at port 80"),
        (("fwmark 1", "udp 10.0.0.1:80", "tcp 10.0.0.1:443"), "fwmark 1", "takes every port"),
        (("tcp 10.0.0.1:0",), "tcp 10.0.0.1:0", "takes every port"),
        (("fwmark 1 v6", "fwmark 1"), "fwmark 1", "takes every port"),
    ],
)
def test_a_guess_is_made_where_only_one_can_be_meant_and_said(
    keys: tuple[str, ...], chosen: str, why: str
) -> None:
    service, guess = choose(table(*keys), VIP, 80, URL)
    assert service.key == chosen
    assert f"{chosen} is taken for the service that http://it reaches" in guess
    assert why in guess
    assert "--service-key" in guess


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("udp 192.0.2.80:80",), "no service for http://it; it has udp 192.0.2.80:80"),
        (("tcp 192.0.2.80:443",), "no service for http://it"),
        ((), "it is empty"),
        (("tcp 10.0.0.1:80", "tcp 10.0.0.2:80"), "any of tcp 10.0.0.1:80, tcp 10.0.0.2:80"),
        (("fwmark 1", "fwmark 2"), "say which, as --service-key 'fwmark 1'"),
        (("fwmark 7 v6",), "no service for http://it; it has fwmark 7 v6"),
        (("fwmark 1", "tcp 10.0.0.1:0"), "may reach any of fwmark 1, tcp 10.0.0.1:0"),
    ],
)
def test_where_none_or_several_can_be_meant_the_table_is_told(
    keys: tuple[str, ...], said: str
) -> None:
    with pytest.raises(TestbedError) as refusal:
        choose(table(*keys), VIP, 80, URL)
    assert said in str(refusal.value)


def test_a_long_table_is_told_in_short() -> None:
    keys = [f"tcp 10.0.0.{n}:443" for n in range(30)]
    with pytest.raises(TestbedError, match=r"10\.0\.0\.9:443 and 20 more"):
        choose(table(*keys), VIP, 80, URL)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (" fwmark  1", "fwmark 1"),
        ("fwmark 7 v6", "fwmark 7 v6"),
        ("tcp 192.0.2.80:0", "tcp 192.0.2.80:0"),
        ("tcp [2001:DB8:0::80]:80", "tcp [2001:db8::80]:80"),
    ],
)
def test_a_service_can_be_named(given: str, key: str) -> None:
    assert canonical_key(given) == key
    assert named(table("udp 192.0.2.80:80", key), key).key == key
    with pytest.raises(TestbedError, match="has no service"):
        named(table("udp 192.0.2.80:80"), key)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("192.0.2.80:80", "is not a virtual service"),
        ("tcp 192.0.2.80", "ADDRESS:PORT"),
        ("tcp it:80", "is not an address"),
        ("fwmark 0", "is not a virtual service"),
        ("udp 192.0.2.80:80", "a URL of http reaches a service of TCP"),
    ],
)
def test_a_name_that_cannot_be_right_is_refused(given: str, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        canonical_key(given)
    assert said in str(refusal.value)
    assert "--service-key" in str(refusal.value)
