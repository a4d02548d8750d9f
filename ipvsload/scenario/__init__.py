"""Scenarios: what a file says, checked before anything is started.

Pure: a text goes in, a `Scenario` or a `ScenarioError` comes out. Only `load`
touches the outside, to read the file.
"""

from ipvsload.scenario.expression import Condition, ExpressionError, Measure, Verdict, parse
from ipvsload.scenario.load import ScenarioError, load, parse_scenario
from ipvsload.scenario.model import Scenario, Step, Traffic

__all__ = [
    "Condition",
    "ExpressionError",
    "Measure",
    "Scenario",
    "ScenarioError",
    "Step",
    "Traffic",
    "Verdict",
    "load",
    "parse",
    "parse_scenario",
]
