"""`ipvsload doctor`: what a testbed has, what it lacks, and what mends that."""

from typing import Any

import click

from ipvsload.cli.terminal import say
from ipvsload.cli.testbeds import with_options
from ipvsload.testbed.registry import DEFAULT, TESTBEDS

_DOCTORS = {kind.name: kind.doctor for kind in TESTBEDS.values() if kind.doctor}


@click.command()
@click.option(
    "--testbed", default=DEFAULT.name, show_default=True, type=click.Choice(list(_DOCTORS))
)
@with_options(option for one in _DOCTORS.values() for option in one.options)
def doctor(testbed: str, **options: Any) -> int:
    """Try every part of a testbed and name the command that mends what is missing."""
    good = False
    for finding in _DOCTORS[testbed].examine(options, say):
        good = finding.good
        click.echo(f"{'ok     ' if good else 'MISSING'} {finding.what}: {finding.text}")
    return 0 if good else 3
