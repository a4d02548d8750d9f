"""YAML text to plain data, with the line and column of everything in it.

PyYAML composes the nodes, each with its place. The limits below are met while
it does, so a file that explodes (aliases of aliases, brackets without end)
costs no more than a file that is refused at its first line. Scalars are read
as YAML 1.2 does: `no` is a word, 1:30 is text.
"""

import re
from typing import Any

import yaml

from ipvsload.scenario.faults import Loc
from ipvsload.scenario.words import quoted

MAX_BYTES = 1 << 20
MAX_LINES = 20_000
MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_SCALAR = 10_000

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"


class SourceError(Exception):
    """Text that is no usable YAML; line and column count from 1."""

    def __init__(self, text: str, line: int, column: int) -> None:
        super().__init__(text)
        self.text, self.line, self.column = text, line, column


class SourceText:
    """A YAML document: its plain data and the place of every part of it."""

    def __init__(self, root: yaml.Node) -> None:
        self._root = root
        self.data = _plain(root)

    def where(self, loc: Loc, at_key: bool = False, column: int | None = None) -> tuple[int, int]:
        """Line and column, from 1, of a path into the data.

        A path that leads out of the data ends at the last part that exists.
        With `at_key`, the key's place; with `column`, that column of the text,
        where the text stands on one line as it is.
        """
        node = place = self._root
        for position, part in enumerate(loc):
            found = _child(node, part)
            if found is None:
                break
            key, node = found
            place = key if at_key and position == len(loc) - 1 else node
        mark: Any = place.start_mark
        offset = 0
        if column is not None and isinstance(node, yaml.ScalarNode):
            quotes = 0 if node.style is None else 1
            end: Any = node.end_mark
            if end.line == mark.line and end.column - mark.column == len(node.value) + 2 * quotes:
                offset = quotes + column - 1
        return mark.line + 1, mark.column + 1 + offset


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key's node and the value's; an item of a list is its own key."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def read(text: str) -> SourceText:
    """Parse one YAML document. Raises SourceError, and nothing else."""
    lines = text.count("\n") + 1
    if lines > MAX_LINES:
        raise SourceError(f"more than {MAX_LINES} lines; this is no scenario file", MAX_LINES, 1)
    try:
        root = _Composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SourceError(_explain(error, text, line), line, column) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        problem = f"the character U+{error.character:04X} has no place in YAML"
        raise SourceError(problem, before.count("\n") + 1, column) from None
    except (ValueError, OverflowError):
        # PyYAML lets chr() and int() speak for themselves on odd escapes.
        raise SourceError("not YAML: an escape or number that is out of range", 1, 1) from None
    if root is None:
        raise SourceError(
            "the file is empty; it needs name, schedulers, traffic and timeline", 1, 1
        )
    return SourceText(root)


class _Composer(yaml.SafeLoader):
    """Composes the document's nodes and counts what they expand to."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._deepest = 0
        self._nodes = 0
        self._complete: dict[str, tuple[int, int]] = {}
        """How many nodes each anchored node expands to, and how deep it is."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """The tag of a node that has none: _scalar decides by itself what it is."""
        return ""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One node and all below it; raises SourceError where a limit is passed."""
        # PyYAML has no types for it.
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        anchor = event.anchor
        if isinstance(event, yaml.AliasEvent):
            if anchor not in self._complete:
                raise _error(
                    f"the alias {quoted('*' + anchor)} contains itself"
                    if anchor in self.anchors
                    else f"no anchor {quoted('&' + anchor)} stands before this alias",
                    event,
                )
            self._count(*self._complete[anchor], event)
            return super().compose_node(parent, index)
        before, deepest = self._nodes, self._deepest
        self._count(1, 1, event)
        self._deepest = self._depth = self._depth + 1
        self.anchors.pop(anchor, None)  # YAML allows an anchor's name again
        self._complete.pop(anchor, None)
        node = super().compose_node(parent, index)
        if event.tag == "!" and node is not None:
            node.tag = "!"  # which PyYAML takes for no tag, and YAML for "as it is written"
        if anchor is not None:
            self._complete[anchor] = self._nodes - before, self._deepest - self._depth + 1
        self._depth -= 1
        self._deepest = max(deepest, self._deepest)
        return node

    def _count(self, size: int, height: int, event: yaml.Event) -> None:
        self._nodes += size
        self._deepest = max(self._deepest, self._depth + height)
        if self._nodes > MAX_NODES:
            raise _error(f"more than {MAX_NODES} values, aliases expanded; too many", event)
        if self._depth + height > MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH}; a scenario needs 5", event)


def _error(text: str, at: Any) -> SourceError:
    """An error at the beginning of a node or an event."""
    return SourceError(text, at.start_mark.line + 1, at.start_mark.column + 1)


def _plain(node: yaml.Node) -> Any:
    """The data of a node. An alias is read again: the limits hold for what it expands to."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    is_list = isinstance(node, yaml.SequenceNode)
    if node.tag not in ("", _TAG + ("seq" if is_list else "map")):
        raise _error(f"the tag {quoted(node.tag)} is not read here; take it away", node)
    if is_list:
        items = list(map(_plain, node.value))
        if None in items:
            empty = node.value[items.index(None)]
            raise _error("an item without a value; give it one or take it away", empty)
        return items
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = _plain(key)
        if not isinstance(name, str):
            raise _error("a key must be a word; put it in quotes if it is one", key)
        if name in found:
            problem = f"the key {quoted(name)} stands here twice (first in line {lines[name]})"
            raise _error(problem, key)
        found[name] = _plain(value)
        lines[name] = key.start_mark.line + 1
        if found[name] is None:
            problem = f"the key {quoted(name)} has no value; give it one or take it away"
            raise _error(problem, key)
    return found


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = node.value
    if len(text) > MAX_SCALAR:
        raise _error(f"a text of more than {MAX_SCALAR} characters", node)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _error("half of a surrogate pair is not text", node)
    if node.tag in ("", "!"):
        return _resolve(text, node) if node.style is None and not node.tag else text
    wanted = node.tag.removeprefix(_TAG)
    data = text if wanted == "str" else _resolve(text, node)
    if node.tag == wanted or wanted != ("null" if data is None else type(data).__name__):
        raise _error(f"the tag {quoted(node.tag)} is not read here; take it away", node)
    return data


def _resolve(text: str, node: yaml.Node) -> str | int | float | bool | None:
    """A plain scalar's value by YAML 1.2's core schema; infinities stay text."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        # int() refuses very long numbers, and nobody means them.
        if len(text) > 40:
            raise _error("a number of more than 40 digits", node)
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


_IN_QUOTES = "put the whole value in quotes"
_PROBLEMS = {
    "but found another document": "a second document; a scenario file has one",
    "mapping values are not allowed": f"not YAML: a second ': ' in one value; {_IN_QUOTES}",
    "expected <block end>": "not YAML: this line's indentation does not fit the lines above",
    "could not find expected ':'": "not YAML: a key without ':' in the line above",
    "found unexpected end of stream": "not YAML: the file ends inside quotes",
}
"""How PyYAML's problems begin, in the words of somebody who writes a scenario."""


def _explain(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """PyYAML's problem in plain words."""
    problem = error.problem or error.context or "syntax error"
    if problem.startswith(
        ("expected ',' or", "did not find expected ',' or", "found character '>' that cannot")
    ):
        here = "".join(text.splitlines()[line - 1 : line])
        if "{" in here and any(sign in here for sign in ("==", "<", ">", "done")):
            return f"not YAML: a condition inside {{ }} or [ ]; {_IN_QUOTES}"
        return "not YAML: expected ',' or a closing bracket"
    if "'\\t'" in problem:
        return "not YAML: a tab; indent with spaces"
    known = (said for beginning, said in _PROBLEMS.items() if problem.startswith(beginning))
    return next(known, f"not YAML: {problem[:200]}")
