"""Pages of the documentation for whoever has no checkout, by the words of messages."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import ipvsload
from ipvsload.cli.docs import docs
from ipvsload.errors import UsageError
from ipvsload.shipped_pages import page_text, page_title, shipped_pages

PACKAGE = Path(ipvsload.__file__).parent
NAMED = re.compile(r"docs/[\w-]+\.md(?:#[\w-]+)?")


def named_in_messages() -> list[str]:
    files = [path for kind in ("*.py", "*.j2") for path in PACKAGE.rglob(kind)]
    return sorted({name for path in files for name in NAMED.findall(path.read_text())})


@pytest.mark.parametrize("name", named_in_messages())
def test_what_a_message_names_is_there(name: str) -> None:
    assert page_text(name).startswith("#")


def test_a_section_ends_where_the_next_one_begins() -> None:
    section = page_text("docs/schedulers.md#several-directors")
    assert len(re.findall("^## ", section, re.MULTILINE)) == 1
    assert section in page_text("schedulers")


def test_the_list_has_each_page_with_its_title() -> None:
    done = CliRunner().invoke(docs, [], standalone_mode=False)
    lines = done.output.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped_pages())
    assert [
        title for title in map(page_title, shipped_pages().values()) if title not in done.output
    ] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shedulers", "no page 'shedulers'; did you mean 'schedulers'?"),
        ("schedulers#several-director", "schedulers has no section 'several-director'; did you"),
        ("../pyproject", "no page '../pyproject'"),
    ],
)
def test_a_wrong_name_gets_the_right_one(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        page_text(name)
