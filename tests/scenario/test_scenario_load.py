"""Files that are none: what `load` says of what lies on a disk."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.scenario.load import ScenarioError, load


def said(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_status == 2
    return str(caught.value).removeprefix(str(path))


def test_a_missing_file(tmp_path: Path) -> None:
    assert said(tmp_path / "no.yaml") == ": no such file"


def test_a_directory(tmp_path: Path) -> None:
    assert said(tmp_path) == ": a directory; name a scenario file in it"


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert said(tmp_path / "a" / "b") == ": cannot be read: Not a directory"


def test_a_name_that_no_file_has() -> None:
    assert "cannot be read" in said(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: t")
    path.chmod(0)
    assert said(path) == ": no permission to read it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", ": not text in UTF-8; this is no scenario file"),
        (b"\x7fELF\x00\x01", ": a binary file; this is no scenario file"),
        (b"[" * 10_000_000, ": larger than 1 MiB; this is no scenario file"),
        (b"", ":1:1: the file is empty; it needs name, schedulers, traffic and timeline"),
    ],
    ids=["not-utf-8", "binary", "10-MB", "empty"],
)
def test_content_that_is_no_scenario(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert said(path) == message


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: 3\nzzz: 1\n")
    assert f"{path}:1:7: 'name': expected text, found 3" in str(path) + said(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert said(path).startswith(":")
