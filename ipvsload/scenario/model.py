"""What a scenario file says, as types.

Everything after the loader works on these models; nothing after it sees a
dict. What can be seen in one step or one class alone is checked in its model;
what needs the whole file (a class that does not exist, a wait that cannot come
true) is in check.py. Times are in seconds.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, create_model, model_validator

from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.scenario.actions import SCENARIO_ACTIONS
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.balancers import find
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.comparison_expectation import ComparisonExpectation, Expectation
from ipvsload.scenario.duration import PositiveDuration
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.faults import refused
from ipvsload.scenario.measured_difference import (
    DEFAULT_MARGIN,
    MOST_MEASURES,
    Margin,
    MeasureUnderTest,
)
from ipvsload.scenario.measures import needs_table
from ipvsload.scenario.service import Service
from ipvsload.scenario.source_port_choice import IN_TURN
from ipvsload.scenario.strict import Name, Strict
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.variant import Label, Variant, VariantEntry

__all__ = ["Scenario", "Service", "Step", "Traffic"]

Conditions = Annotated[tuple[Condition, ...], Field(min_length=1, strict=False)]
Expectations = Annotated[tuple[Expectation, ...], Field(min_length=1, strict=False)]
StopConditions = Annotated[
    Conditions,
    BeforeValidator(
        lambda value: (value,) if isinstance(value, str) else value,
        json_schema_input_type=Condition | Conditions,
    ),
]

_keys: dict[str, Any] = {
    key: (action.yaml_type() | None, Field(default=None, description=action.__doc__))
    for key, action in SCENARIO_ACTIONS.items()
}
_ActionKeys: Any = create_model("_ActionKeys", __base__=Strict, **_keys)


class Step(_ActionKeys):  # type: ignore[misc]  # one key an action of the registry
    """One step: one action, then possibly a wait for an event.

    Exactly one of the action fields is set. `wait` is itself the wait; other
    actions may carry `until`.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    until: Condition | None = None
    """After the action, wait for this condition to hold."""
    within: PositiveDuration = 30.0
    """Deadline of the wait for a condition; missing it ends the run."""

    @cached_property
    def action(self) -> Action:
        """The step's one action."""
        [(key, value)] = self._actions().items()
        return SCENARIO_ACTIONS[key].from_yaml(value)

    @property
    def awaited(self) -> Condition | float | None:
        """What the step waits for: a condition, seconds to pass, or nothing."""
        return self.action.awaited() if self.until is None else self.until

    def _actions(self) -> dict[str, Any]:
        values = {key: getattr(self, key) for key in SCENARIO_ACTIONS}
        return {key: value for key, value in values.items() if value is not None}

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        keys = list(self._actions())
        if not keys:
            *others, last = SCENARIO_ACTIONS
            raise refused(None, f"a step needs an action: {', '.join(others)} or {last}")
        if len(keys) > 1:
            raise refused(
                keys[1],
                f"a step has one action, and this has '{keys[0]}' and '{keys[1]}'; "
                "make it two steps",
            )
        waits = self.action.awaited()
        if self.until is not None and waits is not None:
            raise refused("until", f"'until' has no place beside '{keys[0]}'; join them with 'and'")
        if "within" in self.model_fields_set and self.awaited is None:
            raise refused("within", "'within' is the deadline of a wait, and this step has none")
        if isinstance(waits, float) and "within" in self.model_fields_set and waits > self.within:
            raise refused(
                "within",
                f"this wait lasts {waits:g} s, longer than its deadline of "
                f"{self.within:g} s; take 'within' away",
            )
        return self


class Scenario(Strict, use_attribute_docstrings=True):
    """A load test of an IPVS virtual service: what is sent, what happens, what is expected."""

    name: Name
    """Short name: lower-case letters, digits, - and _."""
    title: Annotated[str, Field(max_length=200)] = ""
    """One line for the reports."""
    schedulers: Annotated[tuple[VariantEntry, ...], Field(min_length=1, strict=False)]
    """The scenario is run once for each of these: the name of an IPVS scheduler, iptables or
    nftables, or a mapping with what is set besides."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    """What is drawn at random is drawn from this: the same arrivals and work for each scheduler."""
    service: Service = Service()
    """The virtual service as a run begins."""
    traffic: Annotated[dict[Name, Traffic], Field(min_length=1)]
    """Classes of traffic by name."""
    timeline: Annotated[tuple[Step, ...], Field(min_length=1, strict=False)]
    """What happens, in this order; each step waits for an event before the next begins."""
    baseline: Label | None = None
    """The label of the scheduler that the others are compared with; the first one by default."""
    margin: Margin = DEFAULT_MARGIN
    """Up to this part of the first one's median a difference of two does not matter: those of which
    that is shown are equivalent."""
    measures: Annotated[
        tuple[MeasureUnderTest, ...], Field(max_length=MOST_MEASURES, strict=False)
    ] = ()
    """By which schedulers are compared over the repeats, where it is not latency_p95 and
    failed_share of each class."""
    expect: dict[Label, Expectations] = Field(default={})
    """Expectations of each run: under `all`, or under the label (the name) of a scheduler.

    Those under `compare` set schedulers side by side: over the medians of the repeats, with
    the selector `scheduler=`, or by a test over all repeats, as less{latency_p95, lc, rr}.
    """

    stop_when: StopConditions = Field(default=(), alias="stop-when")
    """When one of these holds, the run ends at once, and has failed."""

    @property
    def conditions(self) -> dict[str, tuple[Condition, ...]]:
        """The expectations that are conditions, by their section."""
        return {
            section: tuple(one for one in expected if isinstance(one, Condition))
            for section, expected in self.expect.items()
        }

    @property
    def expected_comparisons(self) -> tuple[ComparisonExpectation, ...]:
        """What is expected of two schedulers by a test over all repeats."""
        expected = self.expect.get("compare", ())
        return tuple(one for one in expected if isinstance(one, ComparisonExpectation))

    def needs(
        self, variants: tuple[Variant, ...] | None = None
    ) -> Iterator[tuple[Capability, str]]:
        """Each capability that it needs of a testbed, with the words that need it.

        `variants` are those that will be run, by default its own.
        """
        for variant in self.schedulers if variants is None else variants:
            yield from variant.needs()
            forwarding = variant.forwarding_in(self.service.forwarding)
            if forwarding != MASQUERADING:
                yield "forwarding", f"forwarding: {forwarding}"
        if any(weight != 1 for weight in self.service.weights):
            yield "weights", f"weights: {list(self.service.weights)}"
        if any(weight > 1 for weight in self.service.weights):
            yield "shares", f"weights: {list(self.service.weights)}"
        if self.service.clients > 1:
            yield "clients", f"clients: {self.service.clients}"
        if self.service.source_ports != IN_TURN:
            yield "source-ports", f"source-ports: {self.service.source_ports}"
        if self.service.family != "ipv4":
            yield "family", f"family: {self.service.family}"
        if self.service.capacity is not None:
            yield "capacity", f"capacity: workers: {self.service.capacity.workers}"
        if self.service.directors > 1:
            yield "directors", f"directors: {self.service.directors}"
        for step in self.timeline:
            if step.action.needs is not None:
                yield step.action.needs, step.action.describe()
            if step.action.shares:
                yield "shares", step.action.describe()
        # Last, because --sidecar mends it, and the others nothing.
        for step in self.timeline:
            if isinstance(step.awaited, Condition) and _needs_table(step.awaited):
                yield "table", f"until: {step.awaited}"
        for condition in self.stop_when:
            if _needs_table(condition):
                yield "table", f"stop-when: {condition}"
        for section, conditions in self.conditions.items():
            for condition in conditions:
                if section in self._in_ipvs or _needs_table(condition):
                    yield "table", f"{section}: {condition}"

    @property
    def _in_ipvs(self) -> set[str]:
        """The labels of those that stand in the kernel's table."""
        return {one.label for one in self.schedulers if find(one.scheduler).in_ipvs_table}


def _needs_table(condition: Condition) -> bool:
    # Which scheduler it is stands in the table, too.
    return any(needs_table(one) or one.scheduler is not None for one in condition.measures)
