"""`ipvsload collect`: the sidecar, which has a command line of its own.

It must run from a bare interpreter and pyroute2, so its options are argparse's
and are only passed on here.
"""

import click


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def collect(arguments: tuple[str, ...]) -> int:
    """Print samples of this machine's IPVS table as NDJSON (the sidecar)."""
    from ipvsload.sidecar import collect as sidecar

    return sidecar.main(list(arguments))
