"""What the documentation shows is so: commands are ours, scenarios load, answers come."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from textwrap import dedent

import click
import pytest
import yaml
from click.testing import CliRunner

from ipvsload import _HOMES
from ipvsload.cli import cli
from ipvsload.cli.lab import _exec
from ipvsload.scenario.load import parse_scenario

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
PYTHON = ROOT / "docs/python.md"
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_PROGRAM = re.compile(r"(?:.*/)?ipvsload")
_ENDS = frozenset("();<>|&")
_PLAYED = {"simulate", "init", "validate", "explain", "report", "scenarios", "schema"}
"""Commands that need no kernel, no cluster and little time."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    found = _BLOCK.findall(page.read_text())
    return [dedent(text) for _, name, text in found if name == language]


def joined(text: str) -> str:
    return re.sub(r"\\\n\s*", " ", text)


def typed(block: str) -> list[tuple[str, str]]:
    """Each line that is typed in a block of a shell, and what it answers."""
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", joined(block), re.MULTILINE)


def indented(text: str) -> Iterator[str]:
    """Each line of ours in the text's indented blocks, and what belongs to it by its quotes."""
    for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE):
        lines = iter(dedent(block).splitlines())
        for line in lines:
            if line.startswith("ipvsload "):
                while line.count("'") % 2:
                    line += " ; " + next(lines)
                yield line


def our_words(line: str) -> Iterator[list[str]]:
    """The words behind `ipvsload` in a line for a shell, also in one that is quoted in it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for place, word in enumerate(words):
        if _PROGRAM.fullmatch(word):
            ours = list(takewhile(lambda one: not _ENDS.issuperset(one), words[place + 1 :]))
            if ours:
                yield ours
        elif "ipvsload " in word:
            yield from our_words(word)


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first of these words name, and the other words."""
    if words[:2] == ["lab", "exec"]:
        return _exec, words[2:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


@every_page
def test_its_commands_are_understood(page: Path) -> None:
    """Those to be typed are parsed as a whole; of those in a sentence the options exist."""
    text = page.read_text()
    to_type = [line for block in blocks(page, "console") for line, _ in typed(block)]
    text = re.sub(r"^ *```.*?^ *```", "", joined(text), flags=re.DOTALL | re.MULTILINE)
    to_type += indented(text)
    for line in to_type:
        for words in our_words(line):
            command, rest = command_of(words)
            try:
                command.make_context("ipvsload", rest)
            except click.exceptions.Exit:
                pass  # --help, --version
            except click.ClickException as error:
                pytest.fail(f"{line}: {error.format_message()}")
    for line in re.findall(r"`(ipvsload [a-z][^`]*)`", re.sub(r"\s+", " ", text)):
        for words in our_words(line):
            command, rest = command_of(words)
            assert command is not cli or rest[:1] in ([], ["..."]) or rest[0].startswith("-"), line
            named = {word.split("=")[0] for word in rest if word.startswith("--")} - {"--"}
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
            assert named <= {*known, "--help"}, line


@every_page
def test_its_scenarios_load_and_its_python_compiles(page: Path) -> None:
    for text in blocks(page, "yaml"):
        keys = yaml.safe_load(text)
        if isinstance(keys, dict) and {"name", "timeline"} <= keys.keys():
            parse_scenario(text, str(page))
    for text in blocks(page, "python"):
        compile(text, str(page), "exec")


def test_the_python_interface_is_there_as_a_whole() -> None:
    drawn = re.findall(r"^::: ipvsload\.(.+)\.(\w+)$", PYTHON.read_text(), re.MULTILINE)
    assert {name: home for home, name in drawn} == _HOMES


@pytest.mark.parametrize("page", ["first-verdict.md"])
def test_what_needs_no_kernel_is_done_and_answers_as_shown(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    compared = 0
    for block in blocks(ROOT / "docs" / page, "console"):
        for line, shown in typed(block):
            for words in our_words(line):
                if words[0] in _PLAYED:
                    done = CliRunner().invoke(cli, words, standalone_mode=False)
                    assert (done.exception, done.return_value or 0) == (None, 0), line
                    if shown:
                        assert without_time(done.output) == without_time(shown), line
                        compared += 1
    assert compared


def without_time(text: str) -> list[str]:
    lines = re.sub(r"\d{8}-\d{6}(-\d+)?", "DATE-TIME", text).splitlines()
    return [line.rstrip() for line in lines]
