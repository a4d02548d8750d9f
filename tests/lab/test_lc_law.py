"""How the kernel counts is asked once a build, whatever the cache is like."""

from pathlib import Path
from typing import Any, cast

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab import lc_law
from ipvsload.testbed.lab.director_client import DirectorClient


class Director:
    """Answers as the agent does, for a kernel that cannot be had at will."""

    def __init__(self, build: str = "Linux version 6.1", law: int | None = 256) -> None:
        self._build, self._law = build, law
        self.asked = 0
        self.broken = ""

    def ask(self, verb: str) -> Any:
        if self.broken == verb:
            raise TestbedError(f"the director could not {verb}")
        if verb == "kernel_build":
            return self._build
        self.asked += 1
        return self._law


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def law(director: Director, told: list[str] | None = None) -> int | None:
    told = [] if told is None else told
    return lc_law.lc_law(cast("DirectorClient", director), told.append)


def test_a_build_is_asked_once_and_that_is_told() -> None:
    old, new = Director(), Director("Linux version 6.12", 257)
    told: list[str] = []
    assert [law(old, told), law(new, told), law(old, told), law(new, told)] == [256, 257, 256, 257]
    assert (old.asked, new.asked) == (1, 1)
    assert told == [lc_law.ASKING] * 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"build": "Linux version 6.1"}', '{"build": "", "lc_law": 257}']
)
def test_a_broken_cache_is_asked_over(cache: Path, text: str) -> None:
    director = Director()
    law(director)
    (kept,) = (path for path in cache.rglob("*") if path.is_file())
    kept.write_text(text)
    assert [law(director), law(director)] == [256, 256]
    assert director.asked == 2


def test_without_a_place_for_a_cache_each_lab_asks(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    director = Director()
    for place in (cache / "file" / "in-a-file", Path("/proc/nowhere")):
        (cache / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        assert law(director) == 256
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/proc/nowhere")
    assert law(director) == 256
    assert director.asked == 3


def test_nothing_is_kept_of_a_kernel_that_cannot_be_asked_or_keeps_to_no_law(cache: Path) -> None:
    director = Director(law=None)
    assert law(director) is None
    for verb in ("lc_law", "kernel_build"):
        director.broken = verb
        told: list[str] = []
        assert law(director, told) is None
        assert told[-1].endswith(f"is not known: the director could not {verb}")
    assert not [path for path in cache.rglob("*") if path.is_file()]
