"""Files of the repository that the documentation links to become pages of the site.

A page says `../CONTRIBUTING.md` or `../scenarios/skew.yaml`, which works where docs/ is read in
the repository. A site has docs/ only, and where the repository lies on the web is not known to it.
So each such file is a page below repository/ there: Markdown as it is, other files highlighted,
a folder as a list of its files, a notebook as its text and code. MkDocs calls the functions of this
file by their names.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FOLDER = "repository"
_DOCS = "docs"
_LINK = re.compile(r"(\]\()([^)\s:#]+)((?:#[^)\s]*)?\))")
_NOTEBOOK = ".ipynb"
_INDEXES = ("README.md", "index.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file that a page links to, those that are added included."""
    to_read = [
        (f"{_DOCS}/{page.src_uri}", page.content_string) for page in files.documentation_pages()
    ]
    to_read += [("mkdocs.yml", f"]({name})") for name in _named(config.nav or [])]
    while to_read:
        path, text = to_read.pop()
        for target in _targets(path, text):
            uri = _uri(target)
            if uri.startswith(f"{FOLDER}/") and files.get_file_from_path(uri) is None:
                content = _page(target)
                files.append(
                    File.generated(
                        config, uri, content=content, inclusion=InclusionLevel.NOT_IN_NAV
                    )
                )
                to_read.append((target, content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The text of a page with its links to the repository's files as links to their pages."""
    uri = page.file.src_uri
    path = uri.removeprefix(f"{FOLDER}/") if uri.startswith(f"{FOLDER}/") else f"{_DOCS}/{uri}"

    def link(found: re.Match[str]) -> str:
        target = _resolved(path, found[2])
        if target is None:
            return found[0]
        return f"{found[1]}{relpath(_uri(target), Path(uri).parent.as_posix())}{found[3]}"

    return _LINK.sub(link, markdown)


def _named(nav: object) -> Iterable[str]:
    """The files of the repository that stand in the table of contents itself."""
    if isinstance(nav, str):
        if nav.startswith(f"{FOLDER}/"):
            yield nav.removeprefix(f"{FOLDER}/")
    elif isinstance(nav, dict | list):
        for one in nav.values() if isinstance(nav, dict) else nav:
            yield from _named(one)


def _targets(path: str, text: str) -> Iterable[str]:
    found = (_resolved(path, link[2]) for link in _LINK.finditer(text))
    return (target for target in found if target is not None)


def _resolved(path: str, link: str) -> str | None:
    """Where a link of the file at `path` leads in the repository; None where nothing is there."""
    target = normpath(f"{Path(path).parent.as_posix()}/{link}")
    if target.startswith("..") or not (ROOT / target).exists():
        return None
    for index in _INDEXES:
        if (ROOT / target / index).is_file():
            return f"{target}/{index}"
    return target


def _uri(target: str) -> str:
    """The page's place among the pages of the site."""
    if target.startswith(f"{_DOCS}/") and not target.endswith(_NOTEBOOK):
        return target.removeprefix(f"{_DOCS}/")
    return f"{FOLDER}/{target}" + ("" if target.endswith(".md") else ".md")


def _page(target: str) -> str:
    path = ROOT / target
    if path.is_dir():
        files = sorted(one.name for one in path.iterdir() if one.is_file())
        return f"# {target}\n\n" + "".join(f"- [{one}]({path.name}/{one})\n" for one in files)
    text = path.read_text()
    if path.suffix == ".md":
        return text
    if path.suffix == _NOTEBOOK:
        return "\n\n".join(_cell(cell) for cell in json.loads(text)["cells"])
    language = {".yaml": "yaml", ".py": "python"}.get(path.suffix, "text")
    return f"# {target}\n\n````{language}\n{text}````\n"


def _cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return source if cell["cell_type"] == "markdown" else f"````python\n{source}\n````"
