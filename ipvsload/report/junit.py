"""junit.xml: one test case for each expectation, so that CI servers show a run as tests.

In a run that is not valid each case is an error and not a failure: whether the expectation
holds is not known.
"""

import re
from xml.etree import ElementTree

from ipvsload.report.pair_words import pair_sentence
from ipvsload.report.prediction_rows import matched, surprises
from ipvsload.report.regression_words import of_column, regression_warnings
from ipvsload.report.wording import figure, problems
from ipvsload.results.regression_result import RegressionResult
from ipvsload.results.results import ExpectationResult, Results, RunResult

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, not even escaped."""


def render(results: Results) -> str:
    """Write the whole file as text."""
    root = ElementTree.Element("testsuites", name=_clean(f"ipvsload {results.scenario}"))
    for run in results.runs:
        suite = _suite(root, f"{results.scenario}.{run.label}.{run.repeat}")
        suite.set("time", f"{run.seconds.get('timeline', 0.0):.3f}")
        _properties(suite, run)
        broken = "; ".join(run.reasons)
        if broken and not run.expectations:
            ElementTree.SubElement(
                _case(suite, "the run is valid"), "error", message=_clean(broken)
            )
        if run.ended_early:
            case = _case(suite, f"stop-when: {run.ended_early.condition}")
            ElementTree.SubElement(case, "failure", message=_clean(run.ended_early.reason))
        for expectation in run.expectations:
            _expectation(suite, expectation, broken)
        told = (*surprises(results, run), *run.notes)
        if told:
            ElementTree.SubElement(suite, "system-out").text = _clean("\n".join(told))
    if results.comparisons:
        suite = _suite(root, f"{results.scenario}.compare")
        broken = "; ".join(problems(results))
        for expectation in results.comparisons:
            _expectation(suite, expectation, broken)
    if results.regression:
        suite = _suite(root, f"{results.scenario}.regression")
        _regression(suite, results.regression, "; ".join(problems(results)))
    if results.ends:
        suite = _suite(root, f"{results.scenario}.recording")
        message = _clean("; ".join(results.ends))
        ElementTree.SubElement(_case(suite, "the recording is whole"), "error", message=message)
    for suite in root:
        suite.set("tests", str(len(suite.findall("testcase"))))
        for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, "testsuite", name=_clean(name))


def _properties(suite: ElementTree.Element, run: RunResult) -> None:
    """What was set and can decide more than the scheduler, and how many choices are the model's.

    A suite's properties stand first.
    """
    told = {
        "settings": ", ".join((*run.director.of_service, *run.director.of_director)),
        "model": matched(run.prediction),
    }
    known = {name: value for name, value in told.items() if value}
    properties = ElementTree.SubElement(suite, "properties") if known else suite
    for name, value in known.items():
        ElementTree.SubElement(properties, "property", name=name, value=_clean(value))


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=suite.attrib["name"], name=_clean(name), time="0"
    )


def _expectation(suite: ElementTree.Element, result: ExpectationResult, broken: str) -> None:
    case = _case(suite, result.expression)
    measured = f"measured {figure(result.measured)}" if result.measured is not None else ""
    message = _clean("; ".join(part for part in (measured, result.reason) if part))
    if broken:
        ElementTree.SubElement(case, "error", message=_clean(broken)).text = message
    elif result.held is None:
        ElementTree.SubElement(case, "skipped", message=message)
    elif not result.held:
        ElementTree.SubElement(case, "failure", message=message)


def _regression(suite: ElementTree.Element, found: RegressionResult, broken: str) -> None:
    """A case for each measure of each column, as expectations have."""
    kept = found.compared.first
    if not found.compared.pairs:
        case = _case(suite, f"not worse than in {kept}")
        ElementTree.SubElement(case, "error", message=_clean(found.reason))
    for pair in found.compared.pairs:
        case = _case(suite, f"{of_column(pair)} not worse than in {kept}")
        told = _clean(pair_sentence(pair.comparison, pair.a, pair.b))
        if broken:
            ElementTree.SubElement(case, "error", message=_clean(broken)).text = told
        elif pair in found.worse:
            ElementTree.SubElement(case, "failure", message=told)
        elif pair.comparison.difference is None:
            ElementTree.SubElement(case, "skipped", message=told)
    if notes := list(regression_warnings(found)):
        ElementTree.SubElement(suite, "system-out").text = _clean("\n".join(notes))


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
