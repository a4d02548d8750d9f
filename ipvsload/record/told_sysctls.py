"""What the directors of a run had as a sysctl, as far as its events tell."""

from collections.abc import Iterable

from ipvsload.record.events import DirectorSettings, Event


def told_sysctls(events: Iterable[Event], name: str) -> set[int]:
    """Each value that one of them had; empty where none is known."""
    told = (one.sysctls.get(name) for one in events if isinstance(one, DirectorSettings))
    return {value for value in told if isinstance(value, int)}
