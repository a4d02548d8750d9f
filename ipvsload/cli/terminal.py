"""The standard streams: people read them, pipes close early, and some are not there at all."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click


def tell(text: str) -> None:
    """Write a line of progress to stderr; silent in CI and in pipes."""
    if sys.stderr.isatty():
        say(text)


def say(text: str) -> None:
    """Write a line to stderr; goes on where nobody reads it any more."""
    with suppress(OSError):
        click.echo(text, err=True)


@contextmanager
def passing_line() -> Iterator[Callable[[str], None]]:
    """Give a function that writes a line to stderr in place of the last one; none remains.

    Silent in CI and in pipes.
    """
    told = sys.stderr.isatty()

    def write(text: str) -> None:
        if told:
            with suppress(OSError):
                click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    try:
        yield write
    finally:
        write("")


def open_closed_streams() -> None:
    """Put /dev/null where this process was started without stdin, stdout or stderr.

    Otherwise the next file that is opened gets the stream's number, and is written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))


@contextmanager
def until_nobody_reads() -> Iterator[None]:
    """Print for as long as somebody reads. A pipe that head closes is no failure."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
    except SystemExit as end:  # rich makes this of a broken pipe
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        silence_stdout()


def silence_stdout() -> None:
    """Drop what is still to be written to a stdout that nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
