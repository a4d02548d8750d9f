"""summary.md: what a CI job can append to its step summary, in GitHub's Markdown."""

import re
from collections.abc import Sequence

from ipvsload.report.expectation_summary import summarize_expectations
from ipvsload.report.figure_rows import agreed_addresses, column_header, figure_rows
from ipvsload.report.prediction_rows import surprises
from ipvsload.report.self_check_words import (
    SELF_CHECK_HEADERS,
    self_check_rows,
    self_check_sentences,
)
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
from ipvsload.results.results import Results

_SIGNS = {"held": "✅", "failed": "❌", "invalid": "⚠️"}
_MARKS = {True: "✅", False: "❌", None: "n/a"}

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
    expectations = summarize_expectations(results)
    if expectations:
        lines += ["", *_table(["", "scheduler", "expectation", "measured", "held"], numbers=2)]
        lines += [
            _line(
                _MARKS[one.ok],
                _text(one.label),
                f"<code>{_text(one.expression)}</code>",
                _text(over(one.measured) if one.measured else one.reason or ""),
                _text(f"{one.held} of {plural(one.asked, 'run')}"),
            )
            for one in expectations
        ]
    if results.schedulers:
        headers = ["", *(_text(column_header(s)) for s in results.schedulers)]
        lines += ["", *_table(headers, numbers=len(results.schedulers))]
        for row in figure_rows(results.schedulers, agreed_addresses(results.runs)):
            if row.cells:
                lines.append(_line(_text(row.label), *map(_text, row.cells)))
            else:
                blank = [""] * len(results.schedulers)
                lines.append(_line(f"**{_text(row.label)}** {_text(row.remark)}".rstrip(), *blank))
    lines += ["", *(f"Note: {_text(line)}  " for line in remarks(results))]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


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
