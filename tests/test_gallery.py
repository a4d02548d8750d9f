"""The gallery's pages, and the tables that `make gallery` writes into them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gallery
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.shipped import shipped_scenarios

PAGES = sorted(path for path in gallery.PAGES.glob("*.md") if path.name != "index.md")
REPORT = re.compile(
    r"^\*\*Public reports?:\*\* (none\b|\[[\w./-]+#\d+\]\(https://github\.com/[\w./-]+/\d+\))",
    re.MULTILINE,
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_scenario_a_report_and_a_filled_table(page: Path) -> None:
    text = page.read_text()
    assert page.stem in shipped_scenarios()
    assert f"ipvsload run {page.stem}" in text
    assert REPORT.search(text), "'**Public report:** [OWNER/NAME#N](its link)', or none"
    gallery.wanted(text)
    written = text.partition("make gallery: begin")[2].partition(gallery.END)[0]
    assert "| predicted |" in written
    assert "| connections to 1 " in written


def test_each_scenario_that_ships_has_a_page() -> None:
    assert [page.stem for page in PAGES] == sorted(shipped_scenarios())


def test_the_index_leads_to_each_page_and_to_no_other() -> None:
    links = set(re.findall(r"\]\(([\w-]+)\.md\)", (gallery.PAGES / "index.md").read_text()))
    assert links == {page.stem for page in PAGES}


PAGE = "before\n<!-- make gallery: begin uml qemu; share{class=a, server=1}; failures -->\nold\n"


def test_a_page_names_kernels_and_measures() -> None:
    page = f"{PAGE}{gallery.END}\nafter\n"
    assert gallery.wanted(page) == (
        ("uml", "qemu"),
        (Measure("share", "a", 1), Measure("failures")),
    )
    assert gallery.wanted(f"<!-- make gallery: begin -->{gallery.END}") == (("uml",), ())
    for lacking in (PAGE, gallery.END, ""):
        with pytest.raises(ValueError, match="lacks"):
            gallery.wanted(lacking)


def test_the_table_replaces_what_is_between_the_markers() -> None:
    page = f"{PAGE}{gallery.END}\nafter\n"
    once = gallery.filled(gallery.filled(page, "new"), "newer")
    assert once == page.replace("old\n", "\nnewer\n\n").replace("\n\n<", "\n<")
    assert gallery.wanted(once) == gallery.wanted(page)


BOTH = """
name: both
schedulers: [rr, nftables-hash]
service: {servers: 2}
traffic: {short: {users: 1, requests: 10}}
timeline: [{start: short, until: done}]
expect: {all: [failures == 0]}
"""


def test_what_cannot_be_played_is_told_below_the_table(tmp_path: Path) -> None:
    scenario = tmp_path / "both.yaml"
    scenario.write_text(BOTH)
    column = gallery.played("predicted", scenario, [Measure("share", "short", 2)], "simulate")
    rows = {"connections to 1 2": "5 5", "failed requests": "0 of 10"}
    assert column.cells == {"rr": {**rows, "short share of server 2": "50 %"}}
    (remark,) = column.remarks
    assert remark.startswith('No nftables-hash under "predicted": ')
    assert "the nearest is 'nftables'" in remark
    other = gallery.Column("kernel 6.1", {"nftables-hash": {"failed requests": "0 of 10"}})
    lines = gallery.table(["rr", "nftables-hash"], [column, other]).splitlines()
    assert lines == [
        "|  |  | predicted | kernel 6.1 |",
        "| --- | --- | --- | --- |",
        "| connections to 1 2 | rr | 5 5 |  |",
        "| failed requests | rr | 0 of 10 |  |",
        "|  | nftables-hash |  | 0 of 10 |",
        "| short share of server 2 | rr | 50 % |  |",
        "",
        remark,
    ]


def test_what_did_not_count_is_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = tmp_path / "both.yaml"
    scenario.write_text(BOTH.replace("nftables-hash", "lc"))
    really, asked = gallery.runs, []

    def runs(path: Path, command: list[str]) -> Any:
        found, status, said = really(path, command)
        asked.append(command)
        if len(asked) == 1:  # the machine was busy when lc had its turn
            (rr, lookup), (lc, late) = found
            found, status = [(rr, lookup), (replace(lc, valid=False, reasons=("late",)), late)], 4
        return found, status, said

    monkeypatch.setattr(gallery, "runs", runs)
    column = gallery.played("predicted", scenario, [], "simulate")
    assert list(asked[1]) == ["simulate", "--scheduler", "lc"]
    assert (len(asked), column.status, column.remarks) == (2, 0, ())
    assert column.cells.keys() == {"rr", "lc"}


def test_a_page_is_written_and_what_did_not_hold_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "skew.md"
    page.write_text(f"<!-- make gallery: begin; failures -->{gallery.END}")
    asked = []

    def played(head: str, scenario: Path, *rest: object) -> gallery.Column:
        asked.append((head, scenario, *rest))
        return gallery.Column(head, {"rr": {"failed requests": "0 of 10"}}, status=len(asked) - 1)

    monkeypatch.setattr(gallery, "PAGES", tmp_path)
    monkeypatch.setattr(gallery, "played", played)
    monkeypatch.setattr("sys.argv", ["gallery"])
    assert gallery.main() == 1
    scenario, failures = shipped_scenarios()["skew"], (Measure("failures"),)
    assert asked == [
        ("predicted", scenario, failures, "simulate"),
        ("user-mode Linux", scenario, failures, "run", "--kernel", "uml"),
    ]
    assert "\n| failed requests | rr | 0 of 10 | 0 of 10 |\n" in page.read_text()
    assert capsys.readouterr().err == "\nnot as expected:\nskew, user-mode Linux: status 1\n"
