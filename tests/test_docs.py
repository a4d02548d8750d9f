"""The documentation names files that exist, so that a renamed file takes its texts with it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
_ROOMS = "ipvsload|tests|docs|scenarios|deploy|benchmarks|locustfiles"
_NAMED = re.compile(rf"(?<![\w/.-])((?:{_ROOMS})/[\w/.-]*\w)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_it_names_exist(page: Path) -> None:
    """But for those in blocks of code, and those that a recipe has its reader make."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    made = set(re.findall(r"^(?:1\. |2\. Test, in )`([^`]+)`", text, re.MULTILINE))
    named = set(_NAMED.findall(text)) - made
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_each_page_of_docs_is_on_the_site() -> None:
    """A page that is not in `nav` of mkdocs.yml fails here, and would fail the site's build."""
    navigation = (ROOT / "mkdocs.yml").read_text()
    listed = set(re.findall(r"[\w/.-]+\.md\b", navigation))
    pages = {str(path.relative_to(ROOT / "docs")) for path in ROOT.glob("docs/**/*.md")}
    assert sorted(f"add docs/{name} to nav in mkdocs.yml" for name in pages - listed) == []
