"""The language of conditions and expectations: its grammar and its tree builder.

There is one grammar for both: whoever has learnt it for a wait can write an
expectation. lark's LALR parser knows the place of every error; the builder
refuses what a grammar cannot: unknown measures, times compared with counts.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Any, Literal, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from ipvsload.scenario import tree
from ipvsload.scenario.failures import FAILURES, is_kind
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import SELECTORS, Measure
from ipvsload.scenario.names import LABEL_PATTERN, MAX_SERVERS, NAME_PATTERN
from ipvsload.scenario.words import hint, listed, quoted

MAX_LENGTH = 500
MAX_DEPTH = 32

GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: inverted (_AND inverted)*
?inverted: NOT inverted -> inverse | comparison
?comparison: sum
    | sum COMPARATOR sum -> compare
    | sum COMPARATOR sum _TOLERANCE sum -> compare
?sum: product | sum PLUS product -> arithmetic | sum MINUS product -> arithmetic
?product: signed | product TIMES signed -> arithmetic | product BY signed -> arithmetic
?signed: MINUS signed -> negative | atom
?atom: NUMBER UNIT? -> number
    | measured
    | "(" either ")"
?measured: NAME -> measure
    | NAME "{" selector ("," selector)* "}" -> measure
selector: NAME ("=" | ":") (VALUE | TEXT)

_OR: /or\b/
_AND: /and\b/
NOT: /not\b/
COMPARATOR: "==" | "!=" | "<=" | ">=" | "<" | ">"
_TOLERANCE: "+-" | "±"
PLUS: "+"
MINUS: "-"
TIMES: "*"
BY: "/"
NUMBER: /[0-9]+(\.[0-9]+)?/
UNIT: /(ms|s)\b|%/
NAME: /(?!(and|or|not)\b)[A-Za-z_][A-Za-z0-9_]*/
VALUE: /[A-Za-z0-9_][A-Za-z0-9_-]*/
TEXT: /"[^"]*"|'[^']*'/
%ignore /[ \t\r\n]+/
"""


class ExpressionError(ValueError):
    """Text that is no condition: why, and the 1-based column in it."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


def column_of(token: Token) -> int:
    """Where a token begins in the text, from 1."""
    return (token.start_pos or 0) + 1


def _start(node: tree.Node) -> int:
    return next(iter(tree.leaves(node))).column


@v_args(inline=True)
class TreeBuilder(Transformer[Token, tree.Node]):
    """Builds the tree. The parser calls it for each part, so deep input cannot recurse here."""

    def either(self, *parts: tree.Node) -> tree.Node:
        return _bounded(tree.Or(tuple(_truth(part) for part in parts)))

    def both(self, *parts: tree.Node) -> tree.Node:
        return _bounded(tree.And(tuple(_truth(part) for part in parts)))

    def inverse(self, _: Token, operand: tree.Node) -> tree.Node:
        return _bounded(tree.Not(_truth(operand)))

    def compare(
        self, left: tree.Node, operator: Token, right: tree.Node, *tolerance: tree.Node
    ) -> tree.Node:
        if tolerance and operator != "==":
            raise ExpressionError("a tolerance '+-' goes with '==' only", column_of(operator))
        return _comparison(operator, left, right, *tolerance)

    def arithmetic(self, left: tree.Node, operator: Token, right: tree.Node) -> tree.Node:
        made = tree.Arithmetic(cast("Any", str(operator)), _value(left), _value(right))
        return _bounded(made)

    def negative(self, _: Token, operand: tree.Node) -> tree.Node:
        return _bounded(tree.Negative(_value(operand)))

    def number(self, digits: Token, unit: Token | None = None) -> tree.Node:
        if len(digits) > 15:
            raise ExpressionError("a number has at most 15 digits", column_of(digits))
        amount = float(digits) / 100 if unit == "%" else float(digits)
        return tree.Number(amount, cast("Any", str(unit or "")), column_of(digits))

    def selector(self, key: Token, text: Token) -> tuple[Token, Token]:
        return key, text

    def measure(self, name: Token, *selectors: tuple[Token, Token]) -> tree.Node:
        kind = MEASURES.get(name)
        if kind is None:
            problem = f"unknown measure {quoted(name)}; {hint(name, MEASURES, 'measures')}"
            raise ExpressionError(problem, column_of(name))
        given: dict[str, Any] = {}
        for key, text in selectors:
            if key not in SELECTORS:
                problem = f"unknown selector {quoted(key)}; {hint(key, SELECTORS, 'selectors')}"
                raise ExpressionError(problem, column_of(key))
            if key in given:
                raise ExpressionError(f"'{key}' is given twice", column_of(key))
            if key not in kind.selectors:
                takes = f"it takes {listed(kind.selectors)}" if kind.selectors else "it takes none"
                raise ExpressionError(f"'{name}' has no selector '{key}'; {takes}", column_of(key))
            given[key] = _selected(key, text)
        return tree.Read(Measure(str(name), *map(given.get, SELECTORS)), column_of(name))


def _selected(key: str, token: Token) -> str | int:
    text = _unquoted(token)
    if key == "server":
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MAX_SERVERS:
            problem = (
                f"a server is a number from 1 to {MAX_SERVERS}, in the order of joining; "
                f"found {quoted(text)}"
            )
            raise ExpressionError(problem, column_of(token))
        return int(text)
    if key == "scheduler":
        return read_label(token)
    if key == "kind":
        if not is_kind(text):
            near = hint(text, [*FAILURES, "status 503"], "kinds")
            problem = f"no request fails by {quoted(text)}; {near}"
            raise ExpressionError(problem, column_of(token))
        return text
    if not re.fullmatch(NAME_PATTERN, text):
        raise ExpressionError(f"{quoted(text)} cannot be the name of a class", column_of(token))
    return text


def read_label(token: Token) -> str:
    """The label of a scheduler that stands there. Raises ExpressionError where it can be none."""
    text = _unquoted(token)
    if not re.fullmatch(LABEL_PATTERN, text):
        raise ExpressionError(
            f"{quoted(text)} cannot be the label of a scheduler", column_of(token)
        )
    return text


def _unquoted(token: Token) -> str:
    return token[1:-1] if token.type == "TEXT" else str(token)


def _bounded(node: tree.Node) -> tree.Node:
    """The node, unless it is so deep that functions over the tree could recurse too far."""
    if _depth(node) > MAX_DEPTH:
        raise ExpressionError(f"nested deeper than {MAX_DEPTH}; make it simpler", _start(node))
    return node


def _depth(node: tree.Node) -> int:
    return 1 + max(map(_depth, tree.children(node)), default=0)


def _truth(node: tree.Node) -> tree.Truth:
    if isinstance(node, tree.Number) and node.unit in ("ms", "s"):
        raise ExpressionError("a time is not a condition; a time stands after 'wait'", node.column)
    if not tree.is_truth(node):
        problem = "a number by itself is neither true nor false; compare it, as in 'active == 10'"
        raise ExpressionError(problem, _start(node))
    return cast("tree.Truth", node)


def _value(node: tree.Node) -> tree.Value:
    if tree.is_truth(node):
        what = f"'{node.measure}'" if isinstance(node, tree.Read) else "this"
        problem = f"{what} is true or false, not a number; write it without comparing or counting"
        raise ExpressionError(problem, _start(node))
    return cast("tree.Value", node)


def _comparison(operator: Token, *parts: tree.Node) -> tree.Node:
    """`parts` are the left side, the right side, and possibly the tolerance."""
    given = [_value(part) for part in parts]
    sides = [_as_part(given[0], given[1]), _as_part(given[1], given[0]), *given[2:]]
    is_part = sides != given
    reads = [read for side in sides for read in tree.reads(side)]
    units = {MEASURES[read.measure.name].unit for read in reads}
    if not reads:
        problem = "nothing is measured here; name a measure, such as active or latency_p95"
        raise ExpressionError(problem, _start(parts[0]))
    if {"ms", "s"} <= units:
        problem = "a latency and 'elapsed' cannot stand in one comparison"
        raise ExpressionError(problem, reads[-1].column)
    is_share = is_part or "fraction" in units
    for leaf in (leaf for tolerance in sides[2:] for leaf in tree.leaves(tolerance)):
        if isinstance(leaf, tree.Number) and leaf.unit == "%" and not is_share:
            problem = "a tolerance in % is for shares; write the number itself"
            raise ExpressionError(problem, leaf.column)
    dimensions = {power for side in sides if (power := _dimension(side)) is not None}
    if len(dimensions) > 1:
        problem = "a time is compared with something that is not a time"
        raise ExpressionError(problem, column_of(operator))
    settled = [_settle(side, "s" if "s" in units else "ms") for side in sides]
    return tree.Compare(cast("tree.Operator", str(operator)), *settled)


def _as_part(side: tree.Value, other: tree.Value) -> tree.Value:
    """`failures` in `failures > 5%`: the part that failed, and not their number."""
    if not (isinstance(other, tree.Number) and other.unit == "%" and isinstance(side, tree.Read)):
        return side
    whole = MEASURES[side.measure.name].part_of
    if whole is None:
        return side
    all_of_them = replace(side.measure, name=whole, kind=None)
    return tree.Arithmetic("/", side, tree.Read(all_of_them, side.column))


def _dimension(node: tree.Value) -> int | None:
    """The power of time in a value; None for a bare number, which fits any."""
    match node:
        case tree.Number():
            return 1 if node.unit in ("ms", "s") else None
        case tree.Read():
            return 1 if MEASURES[node.measure.name].unit in ("ms", "s") else 0
        case tree.Negative():
            return _dimension(node.operand)
        case tree.Arithmetic():
            left, right = _dimension(node.left), _dimension(node.right)
            if node.operator in "+-":
                if left is not None and right is not None and left != right:
                    problem = "a time is added to something that is not a time"
                    raise ExpressionError(problem, _start(node.right))
                return right if left is None else left
            if left is None and right is None:
                return None
            return (left or 0) + (right or 0) * (1 if node.operator == "*" else -1)


def _settle(node: tree.Value, time: Literal["ms", "s"]) -> tree.Value:
    """The same value with its times in the unit `time`."""
    match node:
        case tree.Number(unit="ms" | "s") if node.unit != time:
            scaled = node.value / 1000 if time == "s" else node.value * 1000
            return tree.Number(scaled, time, node.column)
        case tree.Negative():
            return tree.Negative(_settle(node.operand, time))
        case tree.Arithmetic():
            return tree.Arithmetic(
                node.operator, _settle(node.left, time), _settle(node.right, time)
            )
        case _:
            return node


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=TreeBuilder(), maybe_placeholders=False)


def read(text: str) -> tree.Truth:
    """The tree of a condition. Raises ExpressionError."""
    return _truth(parsed(_parser(), text, "a condition such as 'active{server=1} == 10'"))


def parsed(parser: Lark, text: str, such_as: str) -> Any:
    """What the builder inside a parser made of a text; an empty one should have been `such_as`.

    Raises ExpressionError.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters; split it in two", 1)
    if not text.strip():
        raise ExpressionError(f"empty; write {such_as}", 1)
    try:
        return parser.parse(text)
    except VisitError as error:
        raise error.orig_exc from None
    except (UnexpectedToken, UnexpectedCharacters) as error:
        raise _explain(text, error) from None


def _explain(text: str, error: UnexpectedToken | UnexpectedCharacters) -> ExpressionError:
    """Say Lark's error in words: what is there, and what could stand there."""
    if isinstance(error, UnexpectedToken):
        accepted = error.accepts or error.expected
        if error.token.type == "$END":
            return ExpressionError(f"ends too early; {_expected(accepted)}", len(text))
    else:
        accepted = error.allowed or set()
    at = error.pos_in_stream or 0
    found = re.match(r"\w+|[=!<>&|]+|.", text[at:], re.DOTALL)
    word = found[0] if found else ""
    right = {"&&": "and", "||": "or", "!": "not", "=": "=="}.get(word)
    if right is not None:
        return ExpressionError(f"unexpected '{word}'; write '{right}'", at + 1)
    return ExpressionError(f"unexpected {quoted(word)}; {_expected(accepted)}", at + 1)


_EXPECTED = {
    "NUMBER": "a measure or a number here",
    "VALUE": "a name or a number here",
    "NAME": f"a selector here: {listed(SELECTORS, 'or')}",
    "EQUAL": "'=' here",
    "RBRACE": "',' or '}' here",
    "COMPARATOR": "a comparison such as '== 10' here",
    "RPAR": "')' here",
    "COMMA": "',' here",
    "LBRACE": "'{' here",
}
"""What stands for a terminal in messages; the first that the parser accepts is named."""


def _expected(terminals: set[str]) -> str:
    if "$END" in terminals:  # then selectors are no news
        terminals = terminals - {"LBRACE"}
    found = (text for name, text in _EXPECTED.items() if name in terminals)
    end = "'and', 'or' or the end here" if "_AND" in terminals else "the end here"
    return "expected " + next(found, end)
