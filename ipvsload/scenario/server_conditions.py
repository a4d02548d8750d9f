"""What a real server suffers from besides death, and what each fault does to that.

The check of a scenario, a run and the page all keep these words, so they are
worked out in one place. A server may have several conditions at once: a slow
one may be frozen, and a frozen one may vanish.
"""

from typing import Literal

ServerFault = Literal["kill", "freeze", "thaw", "vanish", "return", "restart"]
"""What can be done to a real server, besides giving it another speed."""

Conditions = tuple[str, ...]
"""Words for people: "killed", "frozen", "vanished", "speed 0.1"; none for a healthy server."""

KILLED, FROZEN, VANISHED = "killed", "frozen", "vanished"
NO_PROCESS = "is killed; a restart brings it back"
_SPEED = "speed "
_EFFECTS: dict[ServerFault, tuple[str, tuple[str, ...]]] = {
    "kill": (KILLED, (FROZEN, VANISHED)),
    "freeze": (FROZEN, ()),
    "thaw": ("", (FROZEN,)),
    "vanish": (VANISHED, ()),
    "return": ("", (VANISHED,)),
    "restart": ("", ()),
}


def after_fault(conditions: Conditions, fault: ServerFault) -> Conditions:
    """The conditions of a server after the fault."""
    gained, lost = _EFFECTS[fault]
    if fault == "restart":  # a new process, on a machine that is there
        return ()
    kept = tuple(one for one in conditions if one not in (*lost, gained))
    return (*kept, gained) if gained else kept


def at_speed(conditions: Conditions, speed: float) -> Conditions:
    """The conditions of a server whose speed is now `speed`; 1 is its usual one."""
    kept = tuple(one for one in conditions if not one.startswith(_SPEED))
    return kept if speed == 1 else (*kept, f"{_SPEED}{speed:g}")


def without_speed(conditions: Conditions) -> str:
    """Why the server works at no speed at all; "" where it has one."""
    return NO_PROCESS if KILLED in conditions else ""


def without_effect(conditions: Conditions, fault: ServerFault) -> str:
    """Why the fault would change nothing: "is frozen already"; "" where it changes something."""
    gained, lost = _EFFECTS[fault]
    if gained in conditions:
        return f"is {gained} already"
    if fault != "restart" and KILLED in conditions:
        return NO_PROCESS
    if not gained and fault != "restart" and not set(lost) & set(conditions):
        return f"is not {lost[0]}"
    return ""
