"""`ipvsload doctor`: what is there, what is missing, and what mends it."""

import click


@click.command()
@click.option("--testbed", default="lab", show_default=True, type=click.Choice(["lab"]))
def doctor(testbed: str) -> int:
    """Try every part of a testbed and name the command that mends what is missing."""
    from ipvsload.testbed.lab.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok     ' if finding.good else 'MISSING'} {finding.what}: {finding.text}")
    return 0 if findings[-1].good else 3
