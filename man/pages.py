"""The manual pages, written from the commands themselves: `python -m man.pages`, or `make man`.

They are kept in man1/ and go into the wheel (pyproject.toml), so that building it runs none of our
code; a test says where they are not what this writes. click-man was tried: it cuts summaries to 45
letters, dates each page by the clock, and runs the lines of examples into one paragraph.
"""

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent

import click

from ipvsload import __version__
from ipvsload.cli import cli

PAGES = Path(__file__).parent / "man1"
_PROGRAM = "ipvsload"
_CODE = re.compile(r"`([^`]+)`")
_FLAG = re.compile(r"((?<![\w-])\\-(?:\\-)?\w[\w\\-]*)")


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    root = click.Context(cli, info_name=_PROGRAM, **cli.context_settings)
    return {f"{_name(context)}.1": "".join(_page(context)) for context in _contexts(root)}


def write() -> None:
    """Write all of them, and remove those of commands that are gone."""
    PAGES.mkdir(exist_ok=True)
    found = pages()
    for old in PAGES.glob("*.1"):
        if old.name not in found:
            old.unlink()
    for name, text in found.items():
        (PAGES / name).write_text(text)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            yield from _contexts(click.Context(command, context, info_name=name))


def _name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _page(context: click.Context) -> Iterator[str]:
    command, name = context.command, _name(context)
    summary, _, rest = cleandoc(command.help or "").partition("\n\n")
    summary = " ".join(summary.split())
    yield f'.TH "{name.upper()}" "1" "" "{_PROGRAM} {__version__}" "{_PROGRAM}"\n'
    yield f".SH NAME\n{_text(name)} \\- {_text(summary.removesuffix('.'))}\n"
    yield f".SH SYNOPSIS\n\\fB{_text(context.command_path)}\\fP"
    yield f" {_text(' '.join(command.collect_usage_pieces(context)))}\n"
    yield f".SH DESCRIPTION\n{_inline(summary)}\n"
    yield from map(_paragraph, filter(None, re.split(r"\n{2,}", rest)))
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    yield ".SH OPTIONS\n"
    for flags, told in filter(None, (one.get_help_record(context) for one in options)):
        yield f".TP\n{_flags(flags)}\n{_inline(told)}\n"
    others = sorted(command.commands.items()) if isinstance(command, click.Group) else []
    if others:
        yield ".SH COMMANDS\n"
    for word, one in others:
        yield f".TP\n\\fB{_text(name)}\\-{_text(word)}\\fP(1)\n{_inline(_summary(one))}\n"
    if context.parent:
        yield ".SH SEE ALSO\n"
        names = dict.fromkeys([_PROGRAM, _name(context.parent)])
        yield ", ".join(f"\\fB{_text(one)}\\fP(1)" for one in names) + "\n"


def _summary(command: click.Command) -> str:
    return " ".join((command.help or "").strip().partition("\n\n")[0].split())


def _paragraph(text: str) -> str:
    """A paragraph of click's help: filled, or as it stands where it begins with click's mark."""
    if text.lstrip().startswith("\b"):
        lines = dedent(text.lstrip().removeprefix("\b").strip("\n")).splitlines()
        return ".PP\n.nf\n" + "".join(f"{_inline(line)}\n" for line in lines) + ".fi\n"
    return f".PP\n{_inline(' '.join(text.split()))}\n"


def _flags(text: str) -> str:
    """The names of an option in bold, and what it takes as it is."""
    return _FLAG.sub(r"\\fB\1\\fP", _text(text))


def _inline(text: str) -> str:
    """A line of text, with what stands between back quotes in bold."""
    return _CODE.sub(r"\\fB\1\\fP", _text(text))


def _text(text: str) -> str:
    """Text that troff takes for nothing else; a hyphen stays one that can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    write()
