"""The language of conditions: read, evaluated, described, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.scenario import tree
from ipvsload.scenario.expression import Verdict, parse
from ipvsload.scenario.grammar import ExpressionError
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure


def verdict(text: str, **known: float) -> Verdict:
    return parse(text).evaluate(lambda measure: known.get(measure.name))


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("active{server=1} == 10", {"active": 10}, Verdict(True, 10)),
        ("active{server=1} == 10", {"active": 9}, Verdict(False, 9)),
        ("active{server=1} == 10", {}, Verdict(None, None)),
        ("done{class=long}", {"done": 1}, Verdict(True, 1)),
        ("not done", {"done": 1}, Verdict(False, 1)),
        ("active + 2 * inactive - 1 >= (conns + 1) / 2", {"active": 1, "inactive": 3, "conns": 11},
         Verdict(True, 6)),
        ("active - 1 - 1 == 3", {"active": 5}, Verdict(True, 3)),
        ("-active < --3", {"active": 5}, Verdict(True, -5)),
        ("share{class=a,server=1} == 0.7 +- 5%", {"share": 0.75}, Verdict(True, 0.75)),
        ("share{class=a,server=1} == 0.7 ± 0.05", {"share": 0.76}, Verdict(False, 0.76)),
        ("share{class=a,server=1} == 50%", {"share": 0.5}, Verdict(True, 0.5)),
        ("failures > 5 %", {"failures": 6, "requests": 100}, Verdict(True, 0.06)),
        ("failures > 5%", {"failures": 5, "requests": 100}, Verdict(False, 0.05)),
        ("failures == 5% +- 1%", {"failures": 6, "requests": 100}, Verdict(True, 0.06)),
        ("failures > 5%", {"failures": 0, "requests": 0}, Verdict(None, None)),
        ("failures > 5% * requests", {"failures": 6, "requests": 100}, Verdict(True, 6.0)),
        ("5% < failures", {"failures": 6, "requests": 100}, Verdict(True, 0.06)),
        ("failures > 5", {"failures": 6, "requests": 100}, Verdict(True, 6.0)),
        ("latency_p95 < 1s", {"latency_p95": 999.0}, Verdict(True, 999.0)),
        ("latency_p95 < 20 ms", {"latency_p95": 20.0}, Verdict(False, 20.0)),
        ("elapsed >= 1500ms", {"elapsed": 1.5}, Verdict(True, 1.5)),
        ("elapsed >= 3", {"elapsed": 3.0}, Verdict(True, 3.0)),
        # A division by zero is a missing value, and no exception.
        ("active / inactive > 1", {"active": 1, "inactive": 0}, Verdict(None, None)),
        # Missing values decide nothing, unless the rest decides already.
        ("active == 1 and done", {"active": 2}, Verdict(False, 2)),
        ("active == 1 and done", {"active": 1}, Verdict(None, 1)),
        ("active == 1 or done", {"active": 1}, Verdict(True, 1)),
        ("active == 1 or done", {"active": 2}, Verdict(None, 2)),
        # 'and' binds closer than 'or', 'not' closer than both.
        ("active == 1 or active == 2 and done", {"active": 1, "done": 0}, Verdict(True, 1)),
        ("not active == 1 or done", {"active": 2, "done": 0}, Verdict(True, 2)),
        # Rounding does not decide: one third and its decimals are the same.
        ("active * 0.1 + 0.2 <= 0.3", {"active": 1}, Verdict(True, 0.1 + 0.2)),
    ],
)  # fmt: skip
def test_evaluation(text: str, known: dict[str, float], expected: Verdict) -> None:
    assert verdict(text, **known) == expected


def test_selectors_in_every_way_of_writing_them() -> None:
    wanted = (Measure("share", "short", 1, "rr"),)
    for text in (
        "share{class=short,server=1,scheduler=rr} > 0",
        "share{ scheduler : rr , server : 1 , class : short } > 0",
        'share{class=\'short\', server="1", scheduler="rr"} > 0',
    ):
        assert parse(text).measures == wanted


def test_describe_says_what_was_last_seen() -> None:
    condition = parse("active{server=1} == 10 and servers == 2 and done or elapsed > 3 or done")
    known = {"active": 7, "done": 0, "elapsed": 1.25}
    assert condition.describe(lambda measure: known.get(measure.name)) == (
        "active{server=1} = 7, servers not seen yet, done = no, elapsed = 1.25 s"
    )


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "empty; write a condition such as 'active{server=1} == 10'"),
        ("acive == 1", 1, "unknown measure 'acive'; did you mean 'active'?"),
        ("active{servr=1} == 1", 8, "unknown selector 'servr'; did you mean 'server'?"),
        ("servers{server=1} == 1", 9, "'servers' has no selector 'server'; it takes none"),
        ("active{class=a} == 1", 8, "'active' has no selector 'class'; it takes server"),
        ("failures{kind=refuse} == 0", 15, "no request fails by 'refuse'; did you mean 'refused'?"),
        (
            "requests{kind=reset} == 0", 10,
            "'requests' has no selector 'kind'; it takes class, server and scheduler",
        ),
        ("active{server=1,server=2} == 1", 17, "'server' is given twice"),
        (
            "active{server=0} == 1", 15,
            "a server is a number from 1 to 1000, in the order of joining; found '0'",
        ),
        (
            "rps{class=a, scheduler='l c'} > 1", 24,
            "'l c' cannot be the label of a scheduler",
        ),
        ("active = 1", 8, "unexpected '='; write '=='"),
        ("active == 1 && done", 13, "unexpected '&&'; write 'and'"),
        ("!done", 1, "unexpected '!'; write 'not'"),
        ("active == ", 10, "ends too early; expected a measure or a number here"),
        ("active{server=1", 15, "ends too early; expected ',' or '}' here"),
        (
            "active{}==1", 8,
            "unexpected '}'; expected a selector here: class, server, scheduler or kind",
        ),
        ("active == 1 == 2", 13, "unexpected '=='; expected 'and', 'or' or the end here"),
        ("active{server 1} == 1", 15, "unexpected '1'; expected '=' here"),
        (
            "active", 1,
            "a number by itself is neither true nor false; compare it, as in 'active == 10'",
        ),
        ("5s", 1, "a time is not a condition; a time stands after 'wait'"),
        (
            "1 + done == 1", 5,
            "'done' is true or false, not a number; write it without comparing or counting",
        ),
        (
            "1 == 1", 1,
            "nothing is measured here; name a measure, such as active or latency_p95",
        ),
        ("latency_p95 < active", 13, "a time is compared with something that is not a time"),
        ("active < 3s", 8, "a time is compared with something that is not a time"),
        ("latency_p95 + active < 3", 15, "a time is added to something that is not a time"),
        (
            "latency_p95 < elapsed", 15,
            "a latency and 'elapsed' cannot stand in one comparison",
        ),
        ("active <= 1 +- 2", 8, "a tolerance '+-' goes with '==' only"),
        ("active == 1 +- 5%", 16, "a tolerance in % is for shares; write the number itself"),
        ("active == 1234567890123456", 11, "a number has at most 15 digits"),
        ("active" + " + 1" * 40 + " == 1", 1, "nested deeper than 32; make it simpler"),
        ("not " * 100 + "done", 401, "nested deeper than 32; make it simpler"),
        ("active == 1 " + " " * 500, 1, "longer than 500 characters; split it in two"),
    ],
)  # fmt: skip
def test_mistakes(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.message) == (column, message)


@given(st.text(max_size=600))
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    _read_or_refuse(text)


PIECES = st.sampled_from(
    ["active", "done", "share", "latency_p95", "elapsed", "{", "}", "class", "server", "=", ":",
     ",", "a", "1", "2.5", "ms", "s", "%", "(", ")", "+", "-", "*", "/", "==", "<", "+-", "and",
     "or", "not", "'", "{server=1}", "{class=a}", "{class=a, server=1}"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_arbitrary_words_of_the_language_are_read_or_refused(text: str) -> None:
    _read_or_refuse(text)


@pytest.mark.parametrize("piece", ["(", "-", "not ", "- (", "active+", "done and ", "a{", "1"])
def test_five_hundred_characters_of_nesting_are_read_or_refused(piece: str) -> None:
    for tail in ("", "active == 1", "1 < active", "done"):
        _read_or_refuse((piece * 500)[: 500 - len(tail)] + tail)


def _read_or_refuse(text: str) -> None:
    try:
        condition = parse(text)
    except ExpressionError as error:
        refusal = error
    else:
        assert str(condition) == text
        assert condition.evaluate(lambda _: None).held is None
        assert condition.describe(lambda _: None)
        return
    assert refusal.message
    assert 1 <= refusal.column <= len(text) + 1


def live_measure(name: str) -> st.SearchStrategy[tree.Read]:
    kind = MEASURES[name]
    none = st.none()
    return st.builds(
        Measure,
        st.just(name),
        none | st.sampled_from(["a", "long-one"]) if "class" in kind.selectors else none,
        none | st.integers(1, 1000) if "server" in kind.selectors else none,
    ).map(tree.Read)


COUNTS = ["active", "inactive", "conns", "weight", "servers", "requests", "failures"]
reads = st.sampled_from(COUNTS).flatmap(live_measure)
numbers = st.integers(0, 10**9).map(lambda n: tree.Number(n / 8))
values = st.recursive(
    reads | numbers,
    lambda inner: (
        st.builds(tree.Negative, inner)
        | st.builds(tree.Arithmetic, st.sampled_from("+-*/"), inner, inner)
    ),
    max_leaves=5,
)
comparisons = st.builds(
    tree.Compare,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.builds(tree.Arithmetic, st.sampled_from("+-*/"), reads, values),
    values,
) | st.builds(tree.Compare, st.just("=="), reads, values, values)
truths = st.recursive(
    comparisons | live_measure("done"),
    lambda inner: (
        st.builds(tree.Not, inner)
        | st.builds(tree.And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(tree.Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=4,
)


def printed(node: tree.Node) -> str:
    """A tree as text, with every parenthesis that could be needed."""
    match node:
        case tree.Number():
            return f"{node.value:.15g}" if node.value < 1e6 else f"{node.value:.3f}"
        case tree.Read():
            return str(node.measure)
        case tree.Negative():
            return f"-({printed(node.operand)})"
        case tree.Arithmetic():
            return f"({printed(node.left)}) {node.operator} ({printed(node.right)})"
        case tree.Compare():
            near = "" if node.tolerance is None else f" +- {printed(node.tolerance)}"
            return f"{printed(node.left)} {node.operator} {printed(node.right)}{near}"
        case tree.Not():
            return f"not ({printed(node.operand)})"
        case tree.And() | tree.Or():
            word = " and " if isinstance(node, tree.And) else " or "
            return word.join(f"({printed(part)})" for part in node.parts)


@given(truths)
def test_what_is_printed_is_read_as_the_same_tree(node: tree.Truth) -> None:
    text = printed(node)
    if len(text) <= 500:
        assert parse(text).root == node
