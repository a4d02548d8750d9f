"""Arguments of a locustfile's own that have names of ours.

Each of our arguments has two forms: `--scenario` and `--ipvsload-scenario`. Where a
locustfile (or a plug-in of Locust) has one of the same name, the short form is theirs,
and ours keeps the long one. So ours are added last, and nobody's listener fails.
"""

import dis
from argparse import ArgumentError, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

Listener = Callable[..., Any]
_PREFIX = "ipvsload"
_HERE = Path(__file__)


def add_beside_theirs(
    parser: Any, group: Any, listeners: Sequence[Listener], name: str, flag: str, **about: Any
) -> Any:
    """Add one of our arguments, and return its action.

    Ends the process with exit status 2 where both of its forms are taken.

    Args:
        parser: Locust's, which has the arguments of everybody else already.
        group: the group of the parser that ours stand in.
        listeners: those that added arguments of others.
        name: what its value is called in the namespace, where that is not taken.
        flag: its short form, such as "--scenario".
        about: as for `add_argument`.
    """
    long = f"--{_PREFIX}-{flag.removeprefix('--')}"
    if all(name != action.dest for action in parser._actions):
        try:
            return group.add_argument(flag, long, dest=name, **about)
        except ArgumentError:
            pass  # the short form is theirs, with another destination
    try:
        return group.add_argument(long, dest=_prefixed(name), **about)
    except ArgumentError:
        theirs = _place(listeners, long) or "another argument"
        ours = f"{_HERE}:{add_beside_theirs.__code__.co_firstlineno}"
        parser.error(f"{long}: {theirs} adds it, and ipvsload needs it ({ours}); rename yours")


def destination(parsed: Namespace, name: str) -> str:
    """What our argument is called in this namespace, and in Locust's start form."""
    return _prefixed(name) if hasattr(parsed, _prefixed(name)) else name


def shared(
    parsed: Namespace, flags: Iterable[tuple[str, str]], listeners: Sequence[Listener]
) -> Iterator[str]:
    """Say of each name (and its flag) of ours that is somebody else's here how to reach ours."""
    for name, flag in flags:
        if hasattr(parsed, _prefixed(name)):
            theirs = _place(listeners, flag) or "somebody else"
            long = f"--{_PREFIX}-{flag.removeprefix('--')}"
            yield f"{flag} is the argument that {theirs} adds; ipvsload's is {long}"


def _prefixed(name: str) -> str:
    return f"{_PREFIX}_{name}"


def _place(listeners: Iterable[Listener], flag: str) -> str:
    """The file and line of the listener's code that has this flag in it; "" if none has."""
    for listener in listeners:
        code = getattr(_plain(listener), "__code__", None)
        if code is not None and (line := _line(code, flag)):
            return f"{code.co_filename}:{line}"
    return ""


def _plain(listener: Listener) -> Any:
    """The function behind a partial or a bound method."""
    while inner := getattr(listener, "func", None) or getattr(listener, "__func__", None):
        listener = inner
    return listener


def _line(code: CodeType, flag: str) -> int | None:
    for instruction in dis.get_instructions(code):
        if instruction.argval == flag and instruction.positions:
            return instruction.positions.lineno
        inner = instruction.argval
        if isinstance(inner, CodeType) and (line := _line(inner, flag)):
            return line
    return None
