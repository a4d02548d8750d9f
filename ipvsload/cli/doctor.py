"""`ipvsload doctor`: what is there, what is missing, and what mends it."""

from typing import TYPE_CHECKING

import click

from ipvsload.cli.terminal import say
from ipvsload.cli.testbeds import as_click
from ipvsload.testbed.options import CONTEXT, SIDECAR_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterable


@click.command()
@click.option(
    "--testbed", default="lab", show_default=True, type=click.Choice(["lab", "kubernetes"])
)
@as_click(CONTEXT)
@as_click(SIDECAR_IMAGE)
def doctor(testbed: str, context: str, sidecar_image: str) -> int:
    """Try every part of a testbed and name the command that mends what is missing."""
    from ipvsload.testbed.lab.lab_doctor import Finding, examine

    findings: Iterable[Finding]
    if testbed == "lab":
        findings = examine()
    else:
        from ipvsload.testbed.kubernetes import cluster_doctor as kubernetes
        from ipvsload.testbed.kubernetes.kubeconfig import connect

        cluster = connect(context, say)
        say(str(cluster))
        findings = kubernetes.examine(cluster, say, sidecar_image)
    good = False
    for finding in findings:
        good = finding.good
        click.echo(f"{'ok     ' if good else 'MISSING'} {finding.what}: {finding.text}")
    return 0 if good else 3
