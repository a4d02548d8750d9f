"""summary.md: for a pull request's comment or a CI job's step summary, in GitHub's Markdown.

The answer stands first and is short; what is long is folded.
"""

import re
from collections.abc import Sequence

from ipvsload.report.column_lines import column_lines, comparison_warnings
from ipvsload.report.expectation_summary import ExpectationSummary, summarize_expectations
from ipvsload.report.figure_rows import agreed_addresses, column_header, figure_rows
from ipvsload.report.measure_words import amount, difference_words, measure_words, p_words
from ipvsload.report.pair_words import is_alike, verdict_words
from ipvsload.report.prediction_rows import surprises
from ipvsload.report.regression_words import (
    regression_head,
    regression_sentences,
    regression_warnings,
)
from ipvsload.report.self_check_words import (
    SELF_CHECK_HEADERS,
    self_check_rows,
    self_check_sentences,
)
from ipvsload.report.verdict_words import class_sentences
from ipvsload.report.wording import (
    early_ends,
    one_line,
    over,
    place,
    plural,
    problems,
    remarks,
    verdict_line,
)
from ipvsload.results.false_alarms import SelfCheckResult
from ipvsload.results.pair_comparison import PairComparison
from ipvsload.results.regression_result import RegressionResult
from ipvsload.results.results import Results

_SIGNS = {"held": "✅", "failed": "❌", "invalid": "⚠️"}
_MARKS = {True: "✅", False: "❌", None: "n/a"}

MOST_SHOWN = 24
"""Comparisons with the baseline that stand in the open."""
MOST_PAIRS = 200
"""A comment on GitHub has 65,536 characters at most; the rest is in results.json."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~@&]|:(?=//)")


def render(results: Results) -> str:
    """Write the whole file as text."""
    lines = [
        f"## {_SIGNS[results.verdict]} {_text(results.scenario)}: {results.verdict}",
        "",
        f"{_text(results.title)}  " if results.title else "",
        f"{_text(verdict_line(results))}; {_text(', '.join(place(results)))}.",
        "",
    ]
    told = (*problems(results), *early_ends(results), *surprises(results))
    lines += [f"- {_text(line)}" for line in told]
    if results.self_check:
        lines += _self_check(results.self_check)
    elif results.columns:
        lines += ["", *(f"- {_text(line)}" for line in class_sentences(results))]
    if results.regression:
        lines += _regression(results.regression)
    lines += _columns(results)
    pairs = [one for one in results.comparison if _says_something(one)]
    with_baseline = [one for one in pairs if results.baseline in (one.a, one.b)]
    lines += _pairs(results, with_baseline[:MOST_SHOWN])
    expectations = summarize_expectations(results)
    if broken := [one for one in expectations if not one.ok]:
        lines += _expectations(broken)
    if len(pairs) > len(with_baseline[:MOST_SHOWN]):
        some = f"{MOST_PAIRS} of" if len(pairs) > MOST_PAIRS else "All"
        title = f"{some} {len(pairs)} comparisons"
        lines += _folded(title, _pairs(results, pairs[:MOST_PAIRS]))
    if len(broken) < len(expectations):
        lines += _folded(f"All {len(expectations)} expectations", _expectations(expectations))
    if results.schedulers:
        lines += _folded("All figures", _figures(results))
    notes = [*remarks(results), *comparison_warnings(results)]
    lines += ["", *(f"Note: {_text(line)}  " for line in notes)]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _regression(found: RegressionResult) -> list[str]:
    sign = "❌" if found.worse else "⚠️" if found.reason else "✅"
    return [
        "",
        f"{sign} {_text(regression_head(found))}",
        "",
        *(f"- {_text(line)}" for line in regression_sentences(found)),
        *(f"- note: {_text(line)}" for line in regression_warnings(found)),
    ]


def _says_something(pair: PairComparison) -> bool:
    """Not that failures are 0 in both, and nothing of one run each."""
    return pair.p is not None and pair.n[0] > 1 and not is_alike(pair)


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    """What GitHub shows only when it is clicked on."""
    return ["", f"<details><summary>{title}</summary>", *lines, "", "</details>"]


def _columns(results: Results) -> list[str]:
    """A line a column, as the terminal has it."""
    found = column_lines(results)
    groups = [*found.measures, *([found.connections] if found.connections else [])]
    if not found.labels or not groups:
        return []
    headers, rows = ["scheduler"], [[label] for label in found.labels]
    for one in groups:
        headers += [one.header, ""] if one.against else [one.header]
        for at, row in enumerate(rows):
            row += [one.values[at], one.against[at]] if one.against else [one.values[at]]
    table = _table([*map(_text, headers)], numbers=len(headers) - 1)
    return ["", *table, *(_line(*map(_text, row)) for row in rows)]


def _pairs(results: Results, pairs: Sequence[PairComparison]) -> list[str]:
    if not pairs:
        return []
    of = {(one.measure, one.label): one for one in results.columns}
    headers = ["measure", "", "difference", "p (Holm)", ""]
    rows = []
    for one in pairs:
        a, b = of[one.measure, one.a], of[one.measure, one.b]
        told = difference_words(one.difference or 0.0, one.difference_ci95, b.unit)
        medians = f"{one.b} {amount(b.median, b.unit)}, {one.a} {amount(a.median, a.unit)}"
        sure = p_words(1.0 if one.p_holm is None else one.p_holm).removeprefix("p ")
        cells = (measure_words(one.measure), medians, told, sure, verdict_words(one, b))
        rows.append(_line(*map(_text, cells)))
    return ["", _line(*headers), _line(":--", ":--", "--:", "--:", ":--"), *rows]


def _expectations(found: Sequence[ExpectationSummary]) -> list[str]:
    return [
        "",
        *_table(["", "scheduler", "expectation", "measured", "held"], numbers=2),
        *(
            _line(
                _MARKS[one.ok],
                _text(one.label),
                f"<code>{_text(one.expression)}</code>",
                _text(over(one.measured) if one.measured else one.reason or ""),
                _text(f"{one.held} of {plural(one.asked, 'run')}"),
            )
            for one in found
        ),
    ]


def _figures(results: Results) -> list[str]:
    headers = ["", *(_text(column_header(s)) for s in results.schedulers)]
    lines = ["", *_table(headers, numbers=len(results.schedulers))]
    for row in figure_rows(results.schedulers, agreed_addresses(results.runs)):
        if row.cells:
            lines.append(_line(_text(row.label), *map(_text, row.cells)))
        else:
            blank = [""] * len(results.schedulers)
            lines.append(_line(f"**{_text(row.label)}** {_text(row.remark)}".rstrip(), *blank))
    return lines


def _self_check(check: SelfCheckResult) -> list[str]:
    return [
        "",
        *(f"{_text(line)}  " for line in self_check_sentences(check)),
        "",
        *_table(SELF_CHECK_HEADERS, numbers=len(SELF_CHECK_HEADERS) - 1),
        *(_line(*map(_text, row)) for row in self_check_rows(check)),
    ]


def _table(headers: Sequence[str], numbers: int) -> list[str]:
    """The head of a table. Its last columns are `numbers`, which stand on the right."""
    rule = [":--"] * (len(headers) - numbers) + ["--:"] * numbers
    return [_line(*headers), _line(*rule)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Escape a text so that it cannot become markup, a link, a mention or a new row."""
    return re.sub(_SPECIAL, lambda found: f"&#{ord(found[0])};", one_line(text))
