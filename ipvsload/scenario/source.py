"""YAML text to plain data, with the line and column of everything in it.

Built straight from PyYAML's events, as they come: the limits below are met
before anything large exists, so a file that explodes (aliases of aliases,
brackets without end) costs no more than a file that is refused at its first
line. Scalars are read as YAML 1.2 does: `no` is a word, 1:30 is text.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from ipvsload.scenario.words import quoted

MAX_BYTES = 1 << 20
MAX_LINES = 20_000
MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_SCALAR = 10_000

Loc = tuple[str | int, ...]
Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"


class Mark(NamedTuple):
    """A place in the text; both count from 1."""

    line: int
    column: int


class SourceError(Exception):
    """Text that is no usable YAML; line and column count from 1."""

    def __init__(self, text: str, line: int, column: int) -> None:
        super().__init__(text)
        self.text, self.line, self.column = text, line, column


@dataclass(slots=True)
class _Node:
    """One value and where it stands; a shared one (an alias) stands once."""

    mark: Mark
    kind: str
    data: object = None
    text_at: int | None = None
    items: "dict[str | int, _Node]" = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    anchor: str | None = None
    pending: "tuple[str, Mark] | None" = None


class Source:
    """A YAML document: its plain data and the place of every part of it."""

    def __init__(self, root: _Node) -> None:
        self._root = root
        self.data = root.data

    def where(self, loc: Loc, at_key: bool = False, column: int | None = None) -> tuple[int, int]:
        """Line and column, from 1, of a path into the data.

        A path that leads out of the data ends at the last part that exists.
        With `at_key`, the key's place; with `column`, that column of the text,
        where the text stands on one line as it is.
        """
        node, mark = self._root, self._root.mark
        for position, part in enumerate(loc):
            child = node.items.get(part)
            if child is None:
                break
            is_last = position == len(loc) - 1
            key = node.keys.get(str(part)) if isinstance(part, str) else None
            node = child
            mark = key if at_key and is_last and key is not None else child.mark
        offset = 0
        if column is not None and node.text_at is not None:
            offset = node.text_at + column - 1
        return mark.line, mark.column + offset


def read(text: str) -> Source:
    """Parse one YAML document. Raises SourceError, and nothing else."""
    lines = text.count("\n") + 1
    if lines > MAX_LINES:
        raise SourceError(f"more than {MAX_LINES} lines; this is no scenario file", MAX_LINES, 1)
    try:
        root = _Builder().build(text)
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
    return Source(root)


class _Builder:
    """Turns events into nodes and counts what they would expand to."""

    def __init__(self) -> None:
        self._open: list[_Node] = []
        self._anchors: dict[str, _Node | None] = {}
        self._nodes = 0
        self._root: _Node | None = None

    def build(self, text: str) -> _Node | None:
        documents = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            mark = _start(event)
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise _error("a second document; a scenario file has one", mark)
                case yaml.AliasEvent():
                    self._alias(event.anchor or "", mark)
                case yaml.ScalarEvent():
                    self._count(1, 1, mark)
                    node = _scalar(event)
                    self._name(event.anchor, node, mark)
                    self._place(node, mark)
                    self._finish(node)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._finish(self._open.pop())
        return self._root

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        mark = _start(event)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        kind = "seq" if is_list else "map"
        if event.tag not in (None, _TAG + kind):
            raise _error(f"the tag {quoted(event.tag)} is not read here; take it away", mark)
        self._count(1, 1, mark)
        node = _Node(mark, kind, [] if is_list else {})
        self._name(event.anchor, node, mark)
        self._place(node, mark)
        self._open.append(node)

    def _name(self, anchor: str | None, node: _Node, mark: Mark) -> None:
        if anchor is not None:
            node.anchor = anchor
            self._anchors[anchor] = None  # not before it is complete

    def _alias(self, anchor: str, mark: Mark) -> None:
        node = self._anchors.get(anchor)
        if node is None:
            if anchor in self._anchors:
                raise _error(f"the alias {quoted('*' + anchor)} contains itself", mark)
            raise _error(f"no anchor {quoted('&' + anchor)} stands before this alias", mark)
        self._count(node.size, node.height, mark)
        self._place(node, mark)
        self._grow(node)

    def _count(self, size: int, height: int, mark: Mark) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            raise _error(f"more than {MAX_NODES} values, aliases expanded; too many", mark)
        if len(self._open) + height > MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH}; a scenario needs 5", mark)

    def _place(self, node: _Node, mark: Mark) -> None:
        """Put a value, or a mapping's key, into the collection that is open."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent.data, list):
            if node.kind == "null":
                raise _error("an item without a value; give it one or take it away", mark)
            parent.items[len(parent.data)] = node
            parent.data.append(node.data)
        elif parent.pending is None:
            parent.pending = _key(node, mark, parent)
        else:
            key, key_mark = parent.pending
            if node.kind == "null":
                problem = f"the key {quoted(key)} has no value; give it one or take it away"
                raise _error(problem, key_mark)
            assert isinstance(parent.data, dict)
            parent.items[key], parent.keys[key] = node, key_mark
            parent.data[key] = node.data
            parent.pending = None

    def _finish(self, node: _Node) -> None:
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        self._grow(node)

    def _grow(self, node: _Node) -> None:
        """Let the open collection know what it now contains."""
        if self._open:
            parent = self._open[-1]
            parent.size += node.size
            parent.height = max(parent.height, node.height + 1)


def _error(text: str, mark: Mark) -> SourceError:
    return SourceError(text, mark.line, mark.column)


def _start(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _key(node: _Node, mark: Mark, parent: _Node) -> tuple[str, Mark]:
    if not isinstance(node.data, str):
        raise _error("a key must be a word; put it in quotes if it is one", mark)
    first = parent.keys.get(node.data)
    if first is not None:
        problem = f"the key {quoted(node.data)} stands here twice (first in line {first.line})"
        raise _error(problem, mark)
    return node.data, mark


def _scalar(event: yaml.ScalarEvent) -> _Node:
    mark, text = _start(event), event.value
    plain = event.style is None
    if len(text) > MAX_SCALAR:
        raise _error(f"a text of more than {MAX_SCALAR} characters", mark)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _error("half of a surrogate pair is not text", mark)
    data: Scalar = _resolve(text, mark) if plain and event.tag is None else text
    if event.tag not in (None, "!"):
        wanted = event.tag.removeprefix(_TAG)
        data = text if wanted == "str" else _resolve(text, mark)
        if event.tag == wanted or wanted != _kind(data):
            raise _error(f"the tag {quoted(event.tag)} is not read here; take it away", mark)
    node = _Node(mark, _kind(data), data)
    end: Any = event.end_mark
    quotes = 0 if plain else 1
    if end.line + 1 == mark.line and end.column + 1 - mark.column == len(text) + 2 * quotes:
        node.text_at = quotes
    return node


def _kind(data: Scalar) -> str:
    return "null" if data is None else type(data).__name__


def _resolve(text: str, mark: Mark) -> Scalar:
    """A plain scalar's value by YAML 1.2's core schema; infinities stay text."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        # int() refuses very long numbers, and nobody means them.
        if len(text) > 40:
            raise _error("a number of more than 40 digits", mark)
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _explain(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """PyYAML's problem in the words of somebody who writes a scenario."""
    problem = error.problem or error.context or "syntax error"
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    quotes = "put the whole value in quotes"
    if problem.startswith("mapping values are not allowed"):
        return f"not YAML: a second ': ' in one value; {quotes}"
    if "'\\t'" in problem:
        return "not YAML: a tab; indent with spaces"
    if problem.startswith("expected <block end>"):
        return "not YAML: this line's indentation does not fit the lines above"
    if problem.startswith("could not find expected ':'"):
        return "not YAML: a key without ':' in the line above"
    if problem.startswith(("expected ',' or", "did not find expected ',' or")):
        brace = "{" in here and ("==" in here or "<" in here or ">" in here or "done" in here)
        advice = f"a condition inside {{ }}; {quotes}" if brace else "',' or a closing bracket"
        return f"not YAML: expected {advice}" if not brace else f"not YAML: {advice}"
    if problem.startswith("found unexpected end of stream"):
        return "not YAML: the file ends inside quotes"
    return f"not YAML: {problem[:200]}"
