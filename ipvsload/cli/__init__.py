"""The command line. Heavy clients are imported where they are used.

`main` turns errors into a line of text and the exit status of the contract: no
user error ends in a traceback.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from ipvsload import __version__
from ipvsload.cli.collect import collect
from ipvsload.cli.completion import completion
from ipvsload.cli.docs import docs
from ipvsload.cli.doctor import doctor
from ipvsload.cli.explain import explain
from ipvsload.cli.export import export
from ipvsload.cli.iso import iso
from ipvsload.cli.lab import lab
from ipvsload.cli.new_files import init, locustfile
from ipvsload.cli.process_end import end_quickly, exit_with
from ipvsload.cli.records import compare, report
from ipvsload.cli.restore import restore
from ipvsload.cli.run import run
from ipvsload.cli.scenarios import scenarios, schema, validate
from ipvsload.cli.simulate import simulate
from ipvsload.cli.terminal import open_closed_streams, silence_stdout
from ipvsload.cli.trace import trace
from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError
from ipvsload.hang_up import end_on_hang_up

DEBUG = "IPVSLOAD_DEBUG"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="ipvsload %(version)s")
def cli() -> None:
    """Load tests for IPVS: real kernel, real load, a verdict on schedulers.

    \b
    Exit status: 0 all expectations held; 1 one did not; 2 bad usage or a bad
    scenario; 3 the testbed could not be brought up or broke; 4 the run is not
    valid (interrupted, generator overloaded, samples or requests missing).
    """


COMMANDS = (
    run,
    simulate,
    report,
    compare,
    export,
    explain,
    scenarios,
    validate,
    schema,
    trace,
    lab,
    collect,
    doctor,
    restore,
    iso,
    init,
    locustfile,
    docs,
    completion,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> NoReturn:
    """Entry point of `ipvsload`."""
    open_closed_streams()
    end_quickly()
    signal.signal(signal.SIGTERM, _interrupt)
    end_on_hang_up()
    status = 0
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except IpvsloadError as error:
        click.echo(f"{error.prefix}{error}", err=True)
        status = error.exit_status
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("ipvsload: interrupted", err=True)
        status = InvalidRunError.exit_status
    except BrokenPipeError:
        silence_stdout()
        status = 1
    except Exception as error:
        if DEBUG in os.environ:
            raise
        click.echo(f"ipvsload: {type(error).__name__}: {error} (details: {DEBUG}=1)", err=True)
        status = TestbedError.exit_status
    exit_with(status or 0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
