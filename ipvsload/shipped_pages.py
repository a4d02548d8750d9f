"""The pages of the documentation that come with ipvsload.

Messages and reports name them as docs/schedulers.md#several-directors: where there is no
checkout, `ipvsload docs` prints what is meant.
"""

import re
from pathlib import Path

from ipvsload.errors import UsageError
from ipvsload.scenario.words import hint, quoted
from ipvsload.shipped_files import shipped

_HEADING = re.compile(r"(#+) +(.*)")


def shipped_pages() -> dict[str, Path]:
    """Each page's file by its name, as `schedulers` or `gallery/skew`; no decisions."""
    root = shipped("docs")
    found = (path for path in sorted(root.rglob("*.md")) if path.parent.name != "decisions")
    return {str(path.relative_to(root).with_suffix("")): path for path in found}


def page_title(path: Path) -> str:
    """Its first heading."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.match(line):
            return match[2]
    return ""


def page_text(named: str) -> str:
    """The page of this name, or its section: `schedulers`, `docs/schedulers.md#several-directors`.

    Raises UsageError where there is no such page or section.
    """
    name, _, anchor = named.partition("#")
    name = name.removeprefix("docs/").removesuffix(".md")
    pages = shipped_pages()
    if name not in pages:
        raise UsageError(f"no page {quoted(name)}; {hint(name, pages, 'pages')}")
    text = pages[name].read_text(encoding="utf-8")
    return _section(text, anchor, name) if anchor else text


def _section(text: str, anchor: str, name: str) -> str:
    sections = _sections(text)
    if anchor not in sections:
        raise UsageError(
            f"{name} has no section {quoted(anchor)}; {hint(anchor, sections, 'sections')}"
        )
    return sections[anchor]


def _sections(text: str) -> dict[str, str]:
    """Each section with those in it, by what a link to its heading ends with."""
    lines = text.splitlines(keepends=True)
    headings = []
    in_code = False
    for number, line in enumerate(lines):
        in_code ^= line.lstrip().startswith("```")
        if not in_code and (match := _HEADING.match(line)):
            headings.append((number, len(match[1]), _anchor(match[2])))
    found: dict[str, str] = {}
    for place, (begin, level, anchor) in enumerate(headings):
        after = (number for number, other, _ in headings[place + 1 :] if other <= level)
        found.setdefault(anchor, "".join(lines[begin : next(after, len(lines))]))
    return found


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
