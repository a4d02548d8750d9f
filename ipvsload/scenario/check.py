"""What only the whole scenario shows to be wrong.

The check walks over the timeline once, with what is known at each step, and
then looks at the expectations. It finds names and server numbers that do not
exist, actions without effect, and waits that cannot come true.
"""

from collections.abc import Iterator, Sequence

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.balancers import find
from ipvsload.scenario.comparison_checks import check_comparisons
from ipvsload.scenario.condition_checks import check_expectations, check_stops, check_wait
from ipvsload.scenario.faults import Fault
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.variant import Variant
from ipvsload.scenario.words import counted


def check(scenario: Scenario) -> list[Fault]:
    """Everything that is wrong with a scenario whose parts are each right."""
    faults: list[Fault] = []
    service = scenario.service
    if service.weights and len(service.weights) != service.servers:
        text = (
            f"{counted(len(service.weights), 'weight')} for "
            f"{counted(service.servers, 'server')}; give each server one"
        )
        faults.append(Fault(("service", "weights"), text))
    if service.spread == "client" and service.clients < service.directors:
        text = (
            f"{counted(service.directors, 'director')} and {counted(service.clients, 'client')}:"
            " by client, some would have no connections; give at least as many clients"
        )
        faults.append(Fault(("service", "spread"), text))
    faults += _repeated_labels(scenario.schedulers)
    faults += _of_other_family(scenario)
    faults += _without_weights(scenario)
    state = PlannedState.at_start(scenario.service, scenario.traffic)
    for index, step in enumerate(scenario.timeline):
        state.loc = ("timeline", index, step.action.key)
        step.action.plan(state)
        # What is wrong only because an earlier action is wrong gets no message of its own.
        faults += check_wait(step, ("timeline", index), state, bounds=not state.faults)
    speeds = service.capacity.speed if service.capacity else ()
    if len(speeds) > 1 and len(speeds) != state.joined and not state.faults:
        text = (
            f"{counted(len(speeds), 'speed')} for {counted(state.joined, 'server')} that join;"
            " give each one, or one number for all"
        )
        faults.append(Fault(("service", "capacity", "speed"), text))
    for name, one in state.classes.items():
        if state.faults:
            break
        if not one.starts:
            text = f"class '{name}' is never started; start it in the timeline, or take it away"
            faults.append(Fault(("traffic", name), text, at_key=True))
        elif one.traffic.endless and one.running:
            text = (
                f"class '{name}' would never end; give it requests or a duration, "
                f"or add the step 'stop: {name}'"
            )
            faults.append(Fault(("traffic", name), text, at_key=True))
    return [
        *faults,
        *state.faults,
        *check_stops(scenario, state),
        *check_expectations(scenario, state),
        *check_comparisons(scenario, state),
    ]


def _without_weights(scenario: Scenario) -> Iterator[Fault]:
    """What balances without weights, where the scenario has some."""
    wanted = [words for capability, words in scenario.needs() if capability == "shares"]
    for place, variant in enumerate(scenario.schedulers):
        lacks = find(variant.scheduler).lacks
        if wanted and "shares" in lacks:
            yield Fault(("schedulers", place), f"{lacks['shares']}; the scenario has `{wanted[0]}`")


def _of_other_family(scenario: Scenario) -> Iterator[Fault]:
    """What there is in the lab for one family of addresses only."""
    ipv6 = scenario.service.family == "ipv6"
    for place, variant in enumerate(scenario.schedulers):
        loc = ("schedulers", place)
        if ipv6 and variant.scheduler not in SCHEDULERS:
            yield Fault(loc, _ONLY_IPV4.format(variant.scheduler))
        if not ipv6 and (variant.netmask or 0) > _IPV4_BITS:
            text = f"an IPv4 address has {_IPV4_BITS} bits, and 'netmask' is {variant.netmask}"
            yield Fault((*loc, "netmask"), text)


_IPV4_BITS = 32
_ONLY_IPV4 = "{} is for IPv4 only here, and 'service' has 'family: ipv6'"


def _repeated_labels(variants: Sequence[Variant]) -> Iterator[Fault]:
    """One label cannot name two columns."""
    seen: dict[str, Variant] = {}
    told: set[str] = set()
    for place, variant in enumerate(variants):
        first = seen.setdefault(variant.label, variant)
        if first is variant or variant.label in told:
            continue
        told.add(variant.label)
        if first == variant:
            text = f"'{variant.label}' is listed twice; take one away"
            yield Fault(("schedulers",), text, at_key=True)
        else:
            text = f"the label '{variant.label}' is another scheduler's, too; choose another"
            yield Fault(("schedulers", place, "label"), text)
