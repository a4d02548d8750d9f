"""What only the whole scenario shows to be wrong.

Walks the timeline once, keeping what is known at each step, and then looks at
the expectations: names and server numbers that do not exist, actions without
effect, waits that cannot come true.
"""

from ipvsload.scenario.expectations import check_expectations
from ipvsload.scenario.model import MAX_SERVERS, Scenario, Step
from ipvsload.scenario.problems import Fault, Loc
from ipvsload.scenario.state import State
from ipvsload.scenario.waits import check_wait
from ipvsload.scenario.words import counted, hint, quoted

__all__ = ["check"]


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
    repeated = [s for i, s in enumerate(scenario.schedulers) if s in scenario.schedulers[:i]]
    faults += [
        Fault(("schedulers",), f"'{name}' is listed twice; take one away", at_key=True)
        for name in dict.fromkeys(repeated)
    ]
    state = State.at_start(scenario)
    wrong: list[Fault] = []
    for index, step in enumerate(scenario.timeline):
        wrong += _act(step, ("timeline", index), state)
        # What follows from a wrong action is not worth a message of its own.
        faults += check_wait(step, ("timeline", index), state, bounds=not wrong)
    for name, one in state.classes.items():
        if wrong:
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
    return faults + wrong + check_expectations(scenario, state)


def _act(step: Step, loc: Loc, state: State) -> list[Fault]:
    """Do the step's action to the state; what cannot be done is not."""
    loc = (*loc, step.action)
    match step.action:
        case "start":
            return _start(step.start or (), loc, state)
        case "stop":
            return _stop(step.stop or (), loc, state)
        case "scale":
            return _scale(step.scale or 0, loc, state)
        case "reweigh" if step.reweigh is not None:
            faults = _absent(step.reweigh.server, (*loc, "server"), state)
            if not faults:
                state.weights[step.reweigh.server] = step.reweigh.weight
            return faults
        case "remove" if step.remove is not None:
            return _remove(step.remove, loc, state)
        case "kill" if step.kill is not None:
            return _kill(step.kill, loc, state)
        case _:
            return []


def _unknown(name: str, loc: Loc, state: State) -> Fault:
    return Fault(loc, f"no class {quoted(name)}; {hint(name, state.classes, 'classes')}")


def _start(names: tuple[str, ...], loc: Loc, state: State) -> list[Fault]:
    faults = []
    for index, name in enumerate(names):
        one = state.classes.get(name)
        if one is None:
            faults.append(_unknown(name, (*loc, index), state))
        elif one.running:
            text = (
                f"class '{name}' may still be running; wait for done{{class={name}}} or "
                "stop it before it is started again"
            )
            faults.append(Fault((*loc, index), text))
        else:
            one.starts += 1
            one.cohorts += 1
            one.stopped, one.age = False, 0.0
    return faults


def _stop(names: tuple[str, ...], loc: Loc, state: State) -> list[Fault]:
    faults = []
    for index, name in enumerate(names):
        one = state.classes.get(name)
        if one is None:
            faults.append(_unknown(name, (*loc, index), state))
        elif not one.running:
            why = "is stopped or done already" if one.starts else "has not been started"
            faults.append(Fault((*loc, index), f"class '{name}' {why}; this stops nothing"))
        else:
            one.stopped = True
    return faults


def _scale(wanted: int, loc: Loc, state: State) -> list[Fault]:
    present = len(state.weights)
    if wanted == present:
        are = "is 1 server" if present == 1 else f"are {present} servers"
        return [Fault(loc, f"there {are} already; this does nothing")]
    if state.joined + wanted - present > MAX_SERVERS:
        text = f"more than {MAX_SERVERS} servers would join over the whole run"
        return [Fault(loc, text)]
    if wanted > present:
        state.join(wanted - present)
    else:
        for server in sorted(state.weights)[wanted:]:
            del state.weights[server]
    return []


def _remove(server: int, loc: Loc, state: State) -> list[Fault]:
    faults = _absent(server, loc, state)
    if not faults and len(state.weights) == 1:
        return [Fault(loc, f"server {server} is the last one; a service needs one at least")]
    state.weights.pop(server, None)
    return faults


def _kill(server: int, loc: Loc, state: State) -> list[Fault]:
    faults = _absent(server, loc, state)
    if not faults and server in state.killed:
        return [Fault(loc, f"server {server} was killed before")]
    state.killed.add(server)
    return faults


def _absent(server: int, loc: Loc, state: State) -> list[Fault]:
    """The fault of naming a server that is not in the table at this point."""
    if server in state.weights:
        return []
    return [Fault(loc, state.absence(server))]
