"""`ipvsload restore`: undo what an interrupted run left changed."""

from typing import Any

import click

from ipvsload.cli.terminal import say
from ipvsload.cli.testbeds import with_options
from ipvsload.errors import IpvsloadError, NoTestbedError
from ipvsload.testbed.registry import TESTBEDS

_RESTORERS = [kind.restorer for kind in TESTBEDS.values() if kind.restorer]


@click.command()
@with_options(option for one in _RESTORERS for option in one.options)
def restore(**options: Any) -> None:
    """Put back what an interrupted run has left changed: directors, and a cluster.

    For external directors it goes by what that run wrote down on this machine; for
    a cluster by what it wrote down there, so that works from any machine. It works
    again after it was broken off itself, and where there is nothing to be done.
    """
    found = False
    failures: list[IpvsloadError] = []
    for restorer in _RESTORERS:
        try:
            for line in restorer.restore(options, say):
                found = True
                click.echo(line)
        except NoTestbedError as error:
            if not found and not failures:
                failures.append(
                    NoTestbedError(
                        "nothing that runs wrote down on this machine is left to be put back,"
                        f" and no cluster could be looked at: {error}"
                    )
                )
        except IpvsloadError as error:
            failures.append(error)
    for failure in failures[:-1]:
        say(f"{failure.prefix}{failure}")
    if failures:
        raise failures[-1]
