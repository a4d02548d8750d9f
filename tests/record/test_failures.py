"""The kinds of failures: their order, and that the documentation has them all."""

from pathlib import Path

from ipvsload.load.tcp_connect import CAUSES
from ipvsload.record.failures import FAILURES, in_order

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "how-it-works.md"


def test_kinds_have_one_order_and_what_is_unheard_of_comes_last() -> None:
    counts = {"status 503": 1, "EPROTO": 2, "no port": 3, "reset": 4, "refused": 5}
    kinds = ["refused", "reset", "no port", "EPROTO", "status 503"]
    assert list(in_order(counts)) == kinds
    assert in_order(counts) == counts


def test_what_a_connection_may_fail_with_is_a_kind() -> None:
    assert set(CAUSES.values()) <= FAILURES.keys()


def test_every_kind_is_documented() -> None:
    text = DOCUMENTATION.read_text()
    assert [kind for kind in FAILURES if f"`{kind}`" not in text] == []
