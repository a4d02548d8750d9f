"""Reference that is drawn from the code: what a recording consists of, and the sidecar's options.

Where a page has `<!-- drawn: events -->` a site has each event with its keys; in the same way it
has the columns of requests and of connections, and the options of a command whose command line is
not click's. MkDocs calls the function of this file by its name.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from ipvsload.record.column_blocks import ColumnLayout
from ipvsload.record.connection_table import CONNECTION_LAYOUT
from ipvsload.record.event_shape import event_keys
from ipvsload.record.events import Event, OtherEvent
from ipvsload.record.request_table import REQUEST_LAYOUT
from ipvsload.sidecar import collect

_HERE = re.compile(r"^<!-- drawn: (\w+) -->$", re.MULTILINE)
_JSON = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The text of a page with what is drawn from the code in it."""
    return _HERE.sub(lambda found: "\n".join(_DRAWN[found[1]]()), markdown)


def _events() -> Iterator[str]:
    for event in Event.__subclasses__():
        if event is not OtherEvent:
            keys = [
                (key, _words(hint), "" if required else "may be missing")
                for _, key, hint, required in event_keys(event)
            ]
            yield from (f"### `{event.kind}`", "", inspect.getdoc(event) or "", "")
            yield from _table(("key of `data`", "type", ""), keys)


def _columns(layout: ColumnLayout[Any]) -> Iterator[str]:
    hints = list(get_type_hints(layout.row).values())[1:]
    yield from (inspect.getdoc(layout.row) or "", "")
    yield from _table(
        ("column", "type"),
        [(name, _words(hint)) for name, hint in zip(layout.columns, hints, strict=True)],
    )


def _collect() -> Iterator[str]:
    with redirect_stdout(StringIO()) as printed, suppress(SystemExit):
        collect.main(["--help"])
    yield from ("```text", *printed.getvalue().splitlines(), "```")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    found = [(f"`{first}`", *rest) for first, *rest in rows]
    if found:
        for cells in (head, ["---"] * len(head), *found):
            yield f"| {' | '.join(cells)} |"
        yield ""


def _words(hint: Any) -> str:
    """A type as readers of JSON know it."""
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        some = [_words(one) for one in arguments if one is not type(None)]
        return " or ".join([*some, "null"])
    if get_origin(hint) is list:
        return f"list of {_words(arguments[0])}"
    if get_origin(hint) is dict:
        return "object" if arguments[1] is Any else f"object of {_words(arguments[1])}"
    return _JSON[hint]


_DRAWN: dict[str, Callable[[], Iterator[str]]] = {
    "collect": _collect,
    "events": _events,
    "requests": lambda: _columns(REQUEST_LAYOUT),
    "connections": lambda: _columns(CONNECTION_LAYOUT),
}
