"""`ipvsload restore`: undo what an interrupted run left changed."""

from typing import Any

import click

from ipvsload.cli.terminal import say
from ipvsload.cli.testbeds import with_options
from ipvsload.testbed.registry import TESTBEDS

_RESTORERS = [kind.restorer for kind in TESTBEDS.values() if kind.restorer]


@click.command()
@with_options(option for one in _RESTORERS for option in one.options)
def restore(**options: Any) -> None:
    """Put a cluster back that an interrupted run has left changed.

    It goes by what that run wrote down in the cluster, so it works from any
    machine, again after it was broken off itself, and where there is nothing
    to be done.
    """
    for restorer in _RESTORERS:
        for line in restorer.restore(options, say):
            click.echo(line)
