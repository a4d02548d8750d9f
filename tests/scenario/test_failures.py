"""The kinds of failures: their order, and that the documentation has them all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.tcp_connect import CAUSES
from ipvsload.scenario.expression import parse
from ipvsload.scenario.failures import FAILURES, in_order, is_kind
from ipvsload.scenario.measures.base import Measure

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "traffic.md"


def test_kinds_have_one_order_and_what_is_unheard_of_comes_last() -> None:
    counts = {"status 503": 1, "EPROTO": 2, "no port": 3, "reset": 4, "refused": 5}
    kinds = ["refused", "reset", "no port", "EPROTO", "status 503"]
    assert list(in_order(counts)) == kinds
    assert in_order(counts) == counts


@given(st.sampled_from([*FAILURES, "status 404", "EPROTO", "TLS: no shared cipher"]))
def test_a_kind_in_a_condition_is_written_as_it_is_read(kind: str) -> None:
    (measure,) = parse(f"failures{{class=a, kind='{kind}'}} == 0").measures
    assert measure == Measure("failures", class_="a", kind=kind)
    assert parse(f"{measure} == 0").measures == (measure,)


def test_of_a_part_the_whole_is_of_all_kinds() -> None:
    assert parse("failures{kind=reset} > 5%").measures == (
        Measure("failures", kind="reset"), Measure("requests"),
    )  # fmt: skip


@pytest.mark.parametrize("word", ["", "Reset", "status", "status 5", "status 5033", "resets"])
def test_what_is_no_kind(word: str) -> None:
    assert not is_kind(word)


def test_what_a_connection_may_fail_with_is_a_kind() -> None:
    assert set(CAUSES.values()) <= FAILURES.keys()


def test_every_kind_is_documented() -> None:
    text = DOCUMENTATION.read_text()
    assert [kind for kind in FAILURES if f"`{kind}`" not in text] == []
