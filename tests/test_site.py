"""The documentation as a site: built strictly, as the repository shows it, without a network."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.locust_plugin.browser import browser

ROOT = Path(__file__).parents[1]
_ASKED = re.compile(
    r"""(?:<(?:script|link|img|iframe)\b[^>]*(?:src|href)=|url\()["']?(?:https?:)?//"""
)
_DRAWN = re.compile(r"^(?:::: |<!-- drawn: )", re.MULTILINE)
_COUNTED = {
    "li": "items of lists",
    "tr": "rows of tables",
    "pre": "blocks of code",
    "img": "images",
}


def build(root: Path, site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_it_is_built_strictly_and_opens_without_a_network(tmp_path: Path) -> None:
    """One test, because a build takes seconds."""
    build(ROOT, tmp_path)
    texts = {
        path: path.read_text() for path in tmp_path.rglob("*") if path.suffix in {".html", ".css"}
    }
    assert sorted(str(path) for path, text in texts.items() if _ASKED.search(text)) == []
    assert [line for page in ROOT.glob("docs/**/*.md") for line in unlike(page, tmp_path)] == []


def unlike(page: Path, site: Path) -> list[str]:
    """What a page has here, by the rules of forges (CommonMark), and not so on the site."""
    text = page.read_text()
    if _DRAWN.search(text):
        return []
    name = page.relative_to(ROOT / "docs")
    built = site / (
        name.with_name("index.html") if page.stem == "README" else name.with_suffix(".html")
    )
    (shown,) = re.findall(r"<article.*?</article>", built.read_text(), re.DOTALL)
    here, there = elements(MarkdownIt().enable("table").render(text)), elements(shown)
    return [
        f"docs/{name}: {here[one]} {what} here, {there[one]} on the site. There an item of a list "
        "is indented by four columns, and a list or block has an empty line before it"
        for one, what in _COUNTED.items()
        if here[one] != there[one]
    ]


def elements(html: str) -> Counter[str]:
    return Counter(re.findall(r"<(\w+)", html))


@pytest.mark.programs
def test_its_search_answers_from_a_disk(tmp_path: Path) -> None:
    """A site of one page, with everything but the pages of the real one."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.md"))
    (tmp_path / "docs/index.md").write_text("# One page\n\n## About wombats\n\nThey dig.\n")
    (tmp_path / "mkdocs.yml").write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\nnav: [index.md]\nhooks: []\n"
    )
    build(tmp_path, tmp_path / "site")
    with browser(tmp_path) as page:
        page.open((tmp_path / "site/index.html").as_uri())
        page.run("document.querySelector('#__search').click()")
        page.find(".md-search__input").send_keys("wombat")
        page.until(lambda: "About wombats" in page.text(".md-search-result__list"))
        assert page.complaints() == []
