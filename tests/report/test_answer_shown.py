"""The first screen of report.html: a sentence a class, a forest a measure, all pairs."""

import re
from dataclasses import replace

import pytest

from ipvsload.record.reader import Recording
from ipvsload.report.html import html_report
from ipvsload.report.html.answer import answer
from ipvsload.report.html.forest import Forest, ForestRow, forests, undrawn
from ipvsload.report.html.pair_matrix import pair_matrices
from ipvsload.report.verdict_words import class_sentences
from ipvsload.results.results import Results
from tests.report.compared import compared, measured_column, with_columns
from tests.report.conftest import HOSTILE
from tests.report.rendering import results
from tests.report.test_html_report import outline

SHORT, FAILED = "latency_p95{class=short}", "failed_share{class=short}"
SIZE_LIMIT = 300_000


def section(page: str) -> str:
    begin = page.index('<section class="answer"')
    return page[begin : page.index("</section>", begin)]


def row(forest: Forest, label: str) -> ForestRow:
    return next(one for one in forest.rows if one.label == label)


@pytest.fixture
def three(recording: Recording) -> Results:
    """One that is quicker than rr by some 40 %, and one that is equivalent to it."""
    return compared(results(recording), {SHORT: {"rr": 100.0, "lc": 60.0, "sed": 100.0}}, 20)


def test_the_verdict_then_the_answer_then_expectations_and_validity(
    three: Results, recording: Recording
) -> None:
    page = html_report.render(three, recording)
    found = outline(page)
    assert (found.scripts, found.references, found.handlers) == (1, [], [])
    places = [
        page.index(part)
        for part in (
            "<strong>Held</strong>", '<section class="answer"', 'class="forest"',
            "<h2>Expectations", "<h2>Validity", "<h2>Notes",
        )
    ]  # fmt: skip
    assert places == sorted(places)


def test_a_row_says_in_words_and_by_a_shape_what_it_draws(
    three: Results, recording: Recording
) -> None:
    (forest,) = forests(three)
    assert forest.baseline == "rr"
    assert [(one.label, one.kind, one.word) for one in forest.rows] == [
        ("rr", "baseline", "baseline"),
        ("lc", "good", "quicker"),
        ("sed", "equivalent", "equivalent"),
    ]
    shown = section(html_report.render(three, recording))
    rows = re.findall(r"<tbody>.*?</tbody>", shown, re.DOTALL)[0].split("<tr")[1:]
    shapes = [re.findall(r'class="shape[^>]*><path d="([^"]+)"', one) for one in rows]
    assert all(len(found) == 1 for found in shapes)
    assert len({found[0] for found in shapes}) == 3
    titles = re.findall(r"<title>([^<]+)</title>", "".join(rows))
    assert len(titles) == 2  # a text for each drawing
    assert all("short" in one and "p" in one for one in titles)


def test_places_are_on_one_axis_in_percent_of_the_baseline(three: Results) -> None:
    (forest,) = forests(three)
    lc, sed = row(forest, "lc"), row(forest, "sed")
    assert lc.difference.startswith("\u2212")
    assert lc.difference.endswith(" %")
    assert lc.mark is not None
    assert sed.mark is not None
    assert lc.margin is not None
    assert lc.mark < lc.margin[0] < forest.zero < lc.margin[1]
    assert sed.margin is not None
    assert sed.margin[0] < sed.mark < sed.margin[1]
    assert all(0 <= place <= 100 for place, _ in forest.ticks)
    assert "0 %" in [label for _, label in forest.ticks]
    assert lc.blocks.count("M") == 20


def test_a_pair_that_was_compared_the_other_way_round_is_turned(three: Results) -> None:
    (forest,) = forests(replace(three, baseline="sed"))
    lc = row(forest, "lc")  # lc stands before sed in the scenario
    assert (lc.kind, lc.word) == ("good", "quicker")
    assert lc.mark is not None
    assert lc.mark < forest.zero
    (pair,) = (one for one in three.comparison if (one.a, one.b) == ("lc", "sed"))
    assert pair.verdict == "greater"


def test_where_the_baseline_is_0_differences_have_the_measures_unit(recording: Recording) -> None:
    columns = (
        measured_column("rr", FAILED, [0.0] * 10, "fraction"),
        measured_column("lc", FAILED, [0.02 + i / 1000 for i in range(10)], "fraction"),
    )
    found = with_columns(results(recording), columns)
    (forest,) = forests(found)
    lc = row(forest, "lc")
    assert (lc.kind, lc.word, lc.difference) == ("bad", "fails more", "+2.45 points")
    assert lc.margin is None


def test_what_has_one_value_in_all_runs_is_a_line_and_no_plot(recording: Recording) -> None:
    found = compared(results(recording), {FAILED: {"rr": 0.0, "lc": 0.0}}, 10, "fraction")
    assert forests(found) == []
    assert undrawn(found) == [("short failed", "0 %")]
    assert "The same in all runs: short failed 0 %." in section(
        html_report.render(found, recording)
    )


def test_a_block_far_off_does_not_squeeze_the_axis(three: Results) -> None:
    (before,) = forests(three)
    far = tuple(
        replace(c, blocks=(*c.blocks[:-1], (20, 5_000.0))) if c.label == "lc" else c
        for c in three.columns
    )
    (forest,) = forests(replace(three, columns=far))
    assert (before.beyond, forest.beyond) == (0, 1)
    lc = row(forest, "lc")
    assert lc.mark is not None
    assert forest.zero - lc.mark > 25


def test_with_one_run_of_each_nothing_is_called_different(recording: Recording) -> None:
    found = compared(results(recording), {SHORT: {"rr": 100.0, "lc": 60.0}}, 1)
    (forest,) = forests(found)
    lc = row(forest, "lc")
    assert (lc.kind, lc.word, lc.inside, lc.line) == ("untested", "too few runs", "", "")
    shown = section(html_report.render(found, recording))
    assert "--repeats" in shown


def test_one_column_says_what_could_stand_beside_it(recording: Recording) -> None:
    found = compared(results(recording), {SHORT: {"rr": 100.0}}, 10)
    alone = replace(found, schedulers=found.schedulers[:1])
    shown = section(html_report.render(alone, recording))
    assert "nothing to compare it with" in shown
    assert 'class="forest"' not in shown
    assert re.search(r"Measured: short p95 [\d.]+ ms \[[\d.]+\u2013[\d.]+ ms\]\.", shown)
    assert "<details" not in shown


def test_what_to_take_is_stressed_and_no_word_of_the_sentence_is_lost(three: Results) -> None:
    (said,) = answer(three, ["short"]).sentences
    assert (said.traffic, said.take) == ("short", "take lc")
    assert f"short: take lc: {said.rest}" == class_sentences(three)[0]
    assert answer(three, []).sentences[0].rest == class_sentences(three)[0]


def test_all_pairs_are_a_matrix_that_reads_either_way(three: Results, recording: Recording) -> None:
    (matrix,) = pair_matrices(three)
    words = {label: [cell.word for cell in cells] for label, cells in matrix.rows}
    assert words == {
        "rr": ["", "slower", "equivalent"],
        "lc": ["quicker", "", "quicker"],
        "sed": ["equivalent", "slower", ""],
    }
    warned = replace(
        three, comparison=tuple(replace(p, warnings=("ties",)) for p in three.comparison)
    )
    assert pair_matrices(warned)[0].warnings == ("ties",)
    one = replace(three.comparison[0], warnings=("it drifts",))
    assert pair_matrices(replace(three, comparison=(one, *three.comparison[1:])))[0].warnings == (
        "lc and rr: it drifts",
    )
    shown = section(html_report.render(three, recording))
    assert "signed-rank test of pairs, exact" in shown
    assert "<details" in shown
    assert "the margin, 5 %" in shown


def test_hostile_labels_stay_texts(three: Results, recording: Recording) -> None:
    columns = tuple(replace(c, label=HOSTILE) if c.label == "lc" else c for c in three.columns)
    pairs = tuple(
        replace(
            p,
            a=HOSTILE if p.a == "lc" else p.a,
            b=HOSTILE if p.b == "lc" else p.b,
            method=HOSTILE,
            warnings=(HOSTILE,),
        )
        for p in three.comparison
    )
    page = html_report.render(replace(three, columns=columns, comparison=pairs), recording)
    found = outline(page)
    assert (found.scripts, found.references, found.handlers) == (1, [], [])


def test_twenty_columns_by_twenty_repeats_stay_light(recording: Recording) -> None:
    names = [f"scheduler-{i}" for i in range(20)]
    measures = {
        f"{name}{{class={of}}}": {label: 100.0 + i for i, label in enumerate(names)}
        for name in ("latency_p95", "latency_p99")
        for of in ("short", "long")
    }
    shown = section(html_report.render(compared(results(recording), measures, 20), recording))
    assert shown.count('class="row"') == 4 * 19 + 4
    assert len(shown.encode()) < SIZE_LIMIT
