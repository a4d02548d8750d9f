"""`ipvsload restore`: a cluster that an interrupted run left changed, as it was before."""

import click

from ipvsload.cli.terminal import say
from ipvsload.cli.testbeds import as_click
from ipvsload.testbed.options import CONTEXT


@click.command()
@as_click(CONTEXT)
def restore(context: str) -> None:
    """Put a cluster back that an interrupted run has left changed.

    It goes by what that run wrote down in the cluster, so it works from any
    machine, again after it was broken off itself, and where there is nothing
    to be done.
    """
    from ipvsload.testbed.kubernetes.kubeconfig import connect
    from ipvsload.testbed.kubernetes.restore import restore as put_back

    cluster = connect(context, say)
    say(str(cluster))
    for line in put_back(cluster.api, say) or ["what that run had changed is put back"]:
        click.echo(line)
