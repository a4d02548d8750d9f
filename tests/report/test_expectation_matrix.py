"""Expectations as a matrix: what is the same in all columns is one cell."""

from dataclasses import replace

from ipvsload.record.reader import Recording
from ipvsload.report.html import html_report
from ipvsload.report.html.expectation_matrix import ExpectationCell, expectation_matrix
from ipvsload.results.results import ExpectationResult, Results
from tests.report.rendering import results


def of_columns(found: Results, *measured: tuple[float, ...], limit: float = 10) -> Results:
    """A column for each group of values, a repeat for each of them."""
    names = [f"column{at}" for at in range(len(measured))]
    runs = tuple(
        replace(
            found.runs[0],
            label=name,
            repeat=repeat,
            expectations=(
                ExpectationResult("failures == 0", 0.0, True),
                ExpectationResult("rps < 10", value, value < limit),
            ),
        )
        for name, values in zip(names, measured, strict=True)
        for repeat, value in enumerate(values, 1)
    )
    columns = tuple(replace(found.schedulers[0], label=name) for name in names)
    return replace(found, runs=runs, schedulers=columns, comparisons=())


def test_thirteen_equal_rows_are_one(recording: Recording) -> None:
    found = expectation_matrix(of_columns(results(recording), *[(3.0, 3.0)] * 13))
    assert found.labels == ()
    assert [(row.expression, row.whole) for row in found.rows] == [
        ("failures == 0", ExpectationCell(True, "0", "in all 13 columns, 26 of 26 runs")),
        ("rps < 10", ExpectationCell(True, "3", "in all 13 columns, 26 of 26 runs")),
    ]


def test_where_one_column_differs_each_has_its_cell(recording: Recording) -> None:
    matrix = expectation_matrix(of_columns(results(recording), (3.0, 3.0), (9.0, 12.0)))
    assert matrix.labels == ("column0", "column1")
    alike, unlike = matrix.rows
    assert alike.whole is not None
    assert unlike.whole is None
    assert unlike.ok is False
    assert unlike.cells == (
        ExpectationCell(True, "3", "2 of 2"),
        ExpectationCell(False, "10.5 [9\u201312]", "1 of 2"),
    )


def test_columns_that_failed_in_other_runs_are_not_one_cell(recording: Recording) -> None:
    matrix = expectation_matrix(of_columns(results(recording), (20.0, 4.0), (4.0, 20.0), (12, 12)))
    assert matrix.rows[1].whole is None


def test_what_is_asked_of_one_column_has_no_cell_in_others(recording: Recording) -> None:
    found = of_columns(results(recording), (3.0,), (4.0,))
    first = replace(found.runs[0], expectations=found.runs[0].expectations[:1])
    only = expectation_matrix(replace(found, runs=(first, found.runs[1])))
    assert only.rows[1].cells == (None, ExpectationCell(True, "4", ""))


def test_a_comparison_has_a_row_of_its_own_and_a_reason_says_whose_it_is(
    recording: Recording,
) -> None:
    found = of_columns(results(recording), (3.0,), (4.0,))
    why = replace(found.runs[1].expectations[1], held=None, measured=None, reason="ended early")
    runs = (found.runs[0], replace(found.runs[1], expectations=(why,)))
    compared = (ExpectationResult("rps{scheduler=a} < rps{scheduler=b}", 7.0, False, "no data"),)
    matrix = expectation_matrix(replace(found, runs=runs, comparisons=compared))
    assert matrix.rows[1].reasons == ("column1: ended early",)
    assert matrix.rows[1].ok is None
    assert matrix.rows[-1].whole == ExpectationCell(False, "7", "")
    assert matrix.rows[-1].reasons == ("no data",)


def test_the_page_marks_the_column_that_broke_it_in_words_too(recording: Recording) -> None:
    found = of_columns(results(recording), (3.0,), (12.0,))
    page = html_report.render(found, recording)
    table = page[page.index('<table class="expectations">') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr") == 3
    assert '<td data-of="column1" class="not">' in table
    assert table.count("did not hold") == 1
