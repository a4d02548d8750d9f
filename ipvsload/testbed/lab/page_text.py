"""JSON as httpbin writes it: sorted keys, two spaces.

Python's own `json.dumps` with an indent is not in C, and leaves a circle of closures
behind each call, for which the collector then stops the real servers.
"""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import TypeAlias

Page: TypeAlias = "str | Sequence[str] | Mapping[str, Page]"


def page_text(page: Page, line: str = "\n") -> str:
    """The same text as `json.dumps(page, indent=2, sort_keys=True)`; `line` begins a line."""
    if isinstance(page, str):
        return quoted(page)
    deeper = line + "  "
    if isinstance(page, Mapping):
        begin, end = "{}"
        items = [f"{quoted(key)}: {page_text(page[key], deeper)}" for key in sorted(page)]
    else:
        begin, end = "[]"
        items = [quoted(item) for item in page]
    if not items:
        return begin + end
    return f"{begin}{deeper}{f',{deeper}'.join(items)}{line}{end}"
