"""`ipvsload collect`: the sidecar, which has a command line of its own.

The sidecar runs from a bare interpreter and pyroute2, so argparse reads its
options, and click only passes them on.
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
