"""What `explain` prints of decisions, with the real rules and a director of the model."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.ipvs_model.server_list import ServerList
from ipvsload.replay.decision import Decision
from ipvsload.report.decision_words import client_network
from ipvsload.report.terminal_decisions import FIRST, print_one, print_table
from tests.report.decided import decided, deciding

COMMAND = "ipvsload explain runs/x --run 2"
counts = st.integers(0, 100_000)


def table(scheduler: str, every: Iterator[Decision], servers: int = 2, width: int = 200,
          **options: bool) -> str:  # fmt: skip
    file = io.StringIO()
    shown = {"only_mismatches": False, "everything": False} | options
    console = Console(file=file, width=width)
    found = list(every)
    run = deciding(scheduler, servers)

    def replayed(every_table: bool) -> Iterator[Decision]:
        return iter(found if every_table else [replace(one, servers=()) for one in found])

    print_table(run, replayed, command=COMMAND, console=console, **shown)
    return file.getvalue()


def one(scheduler: str, found: Iterator[Decision], number: int, **more: int) -> str:
    file = io.StringIO()
    told = print_one(deciding(scheduler, 3, **more), found, number, Console(file=file, width=200))
    return file.getvalue() if told is None else f"{told} connections"


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if "|" in line]


def test_a_row_has_each_servers_state_and_score_in_numbers() -> None:
    rows = cells(table("lc", decided("lc", 30)))
    assert rows[0] == ["#", "class", "at (s)", "server 1", "server 2", "chosen", "predicted",
                       "verdict"]  # fmt: skip
    none, one = "0/0  256*0 + 0 = 0", "1/1  256*1 + 1 = 257"
    assert rows[1] == ["1", "-", "0.000000", none, none, "2", "2", "matched"]
    assert rows[5] == ["5", "short", "0.080000", one, one, "2", "2", "matched"]
    assert len(rows) == FIRST + 1


def test_a_rule_without_scores_has_no_column_of_them_and_no_best_one() -> None:
    assert cells(one("lc", decided("lc", 9), 5))[0][:4] == ["server", "active", "inactive", "score"]
    assert cells(one("rr", decided("rr", 9), 5))[0][:4] == ["server", "active", "inactive", ""]
    assert "best other" in cells(table("lc", decided("lc", 9, (1,) * 8)))[0]
    headers = cells(table("rr", decided("rr", 9, (1,) * 8)))[0]
    assert headers == ["#", "class", "at (s)", "chosen one had", "chosen", "predicted", "verdict"]


def test_it_says_how_many_more_there_are_and_how_to_see_them() -> None:
    text = table("lc", decided("lc", 30))
    assert f"20 of 30 connections shown; all of them: {COMMAND} --all\n" in text
    assert f"one of them in sentences: {COMMAND} --connection K\n" in text
    assert len(cells(table("lc", decided("lc", 1200), everything=True))) == 1201
    assert "shown" not in table("lc", decided("lc", 20))


def test_only_mismatches_and_there_may_be_none() -> None:
    wrong = frozenset({4, 24})
    text = table("lc", decided("lc", 60, wrong=wrong), only_mismatches=True)
    assert [row[0] for row in cells(text)[1:]] == ["5", "25"]
    assert [row[-1] for row in cells(text)[1:]] == ["mismatched"] * 2
    assert all("256*" in cell for row in cells(text)[1:] for cell in row[3:5])
    assert "matched 58 of 60, mismatched 2" in text
    none = table("lc", decided("lc", 60), only_mismatches=True)
    assert "no choice that is not the model's" in none
    assert "matched 60 of 60" in none
    assert cells(none) == []


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize(("scheduler", "weights"), [("wlc", (1, 3)), ("sed", (1,) * 4),
                                                     ("nq", (1,) * 9)])  # fmt: skip
def test_no_line_is_wider_than_the_terminal(
    scheduler: str, weights: tuple[int, ...], width: int
) -> None:
    text = table(scheduler, decided(scheduler, 60, weights), len(weights), width)
    assert max(map(len, text.splitlines())) <= width
    assert {row[0] for row in cells(text)[1:]} >= set(map(str, range(1, 21)))


@pytest.mark.parametrize(
    ("scheduler", "number", "words"),
    [
        ("lc", 2, "Server 1 and server 2 have the least score, 0. Of equals the one that was added"
                  " last wins: server 2."),
        ("lc", 4, "Server 3 has the least score, 1."),
        ("sed", 1, "(ip_vs_sed.c, ip_vs_sed_schedule)"),
        ("rr", 1, "It is the first connection: turns begin at the head of the kernel's list"),
        ("rr", 2, "Connection 1 before it went to server 3."),
        ("fo", 1, "Server 3 has weight 1 and 0 active connections."),
        ("sh", 1, "The hash of 192.0.2.101 falls on place 101 of the table's 256, from 0, which"),
        ("dh", 2, "Connection 1 to the same destination went to"),
    ],
)  # fmt: skip
def test_one_decision_in_sentences(scheduler: str, number: int, words: str) -> None:
    text = one(scheduler, decided(scheduler, 9, (1, 1, 1)), number)
    assert words in text
    assert f"connection {number} of run 2 ({scheduler})" in text
    assert "and so does the model: matched." in text
    assert sum("chosen, predicted" in line for line in text.splitlines()) == 1


def test_a_mismatch_in_sentences_names_both() -> None:
    text = one("lc", decided("lc", 9, (1, 1, 1), wrong=frozenset({4})), 5)
    assert re.search(r"The kernel chose server 1, and the model chooses server [23]: mismatched. "
                     r"That is a fault of ipvsload or of the kernel.", text)  # fmt: skip


def test_a_template_of_persistence_is_why() -> None:
    text = one("lc", decided("lc", 9, (1, 1, 1), persistence=60), 4, persistence=60)
    assert (
        "The service is persistent for 60 s: connection 3 of 192.0.2.101 was before it, and server"
        " 3 is in the client's template. The rule was not asked."
    ) in text


def test_a_port_that_comes_again_is_why() -> None:
    (first, *_) = decided("lc", 2, (1, 1, 1))
    text = one("lc", iter([replace(first, by_rule=False)]), 1)
    assert "still remembered an earlier connection of port 20000, and its server." in text


def test_a_connection_that_there_is_not_is_none() -> None:
    assert one("lc", decided("lc", 9, (1, 1, 1)), 10) == "9 connections"
    assert one("lc", islice(decided("lc", 9, (1, 1, 1)), 0), 1) == "0 connections"


@given(st.sampled_from(["lc", "wlc", "sed", "nq", "lblc", "lblcr"]), st.integers(1, 9), counts,
       counts, st.sampled_from([256, 257]))  # fmt: skip
def test_a_score_in_numbers_is_the_score(
    name: str, weight: int, active: int, inactive: int, law: int
) -> None:
    servers = ServerList()
    servers.join("198.51.100.11:80", weight)
    servers.active[0], servers.inactive[0] = active, inactive
    score = RULES[name](servers, RuleSettings("192.0.2.80", lc_law=law)).score(0)
    working = RULES[name].working(weight, active, inactive, law)
    assert eval(working.replace("·", "*") or "0") == score


@pytest.mark.parametrize(
    ("client", "netmask", "network"),
    [
        ("192.0.2.101", None, "192.0.2.101"),
        ("192.0.2.101", 32, "192.0.2.101"),
        ("192.0.2.101", 24, "192.0.2.0/24"),
        ("2001:db8::1:2", 64, "2001:db8::/64"),
    ],
)
def test_as_much_of_a_client_as_counts(client: str, netmask: int | None, network: str) -> None:
    assert client_network(client, netmask) == network
