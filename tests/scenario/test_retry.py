"""`retry` of a class: only kept connections know it, and it is on."""

import pytest

from ipvsload.scenario.load import ScenarioError, parse_scenario
from tests.skew_recording import SCENARIO


def with_short(more: str) -> str:
    return SCENARIO.replace("requests: 100,", f"requests: 100, {more},")


@pytest.mark.parametrize(("more", "retry"), [("", True), (", retry: false", False)])
def test_a_request_is_sent_again_unless_the_class_says_no(more: str, retry: bool) -> None:
    found = parse_scenario(with_short(f"connection: keep-alive{more}"), "t.yaml")
    assert found.traffic["short"].retry is retry


def test_new_connections_have_nothing_to_send_again() -> None:
    with pytest.raises(ScenarioError, match=r"'retry' .* needs 'connection: keep-alive'"):
        parse_scenario(with_short("retry: false"), "t.yaml")
