"""What only a person at a terminal needs to read."""

import sys

import click


def tell(text: str) -> None:
    """A line of progress on stderr; silent in CI and in pipes."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
