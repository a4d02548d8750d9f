"""`ipvsload scenarios`, `ipvsload validate` and `ipvsload schema`."""

from pathlib import Path

import click

from ipvsload.cli.name_completion import complete_scenario
from ipvsload.cli.terminal import tell, until_nobody_reads
from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.registry import DEFAULT


@click.command()
@click.argument("name", required=False, shell_complete=complete_scenario)
@click.option("--path", is_flag=True, help="Where the files are.")
def scenarios(name: str | None, path: bool) -> None:
    """List the scenarios that come with ipvsload, or print the one of this NAME.

    To make one of your own, begin with a copy: ipvsload scenarios skew > my.yaml
    """
    from ipvsload.scenario.load import read
    from ipvsload.scenario.shipped import shipped_scenario, shipped_scenarios, shipped_titles

    if name:
        found = shipped_scenario(name)
        with until_nobody_reads():
            click.echo(f"{found}\n" if path else read(found), nl=False)
        return
    lines = shipped_scenarios() if path else shipped_titles()
    width = max(map(len, lines))
    with until_nobody_reads():
        for one, told in lines.items():
            click.echo(f"{one:{width}}  {told}")
    tell(
        "\nipvsload scenarios NAME   what is in it"
        "\nipvsload simulate NAME    play it on a model of IPVS, in seconds"
        "\nipvsload run NAME         play it on a real kernel"
    )


@click.command()
@click.argument(
    "scenarios",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=complete_scenario,
)
def validate(scenarios: tuple[Path, ...]) -> int:
    """Check scenario files, and whether this machine can make their load; starts nothing."""
    from ipvsload.scenario.load import load
    from ipvsload.scenario.machine_limits import shortfalls
    from ipvsload.scenario.shipped import scenario_path
    from ipvsload.scenario.words import counted
    from ipvsload.this_machine import machine_limits

    limits = machine_limits(DEFAULT.own_ports)
    status = 0
    for path in scenarios:
        try:
            scenario = load(scenario_path(path))
        except UsageError as error:
            click.echo(str(error), err=True)
            status = error.exit_status
        else:
            click.echo(
                f"{path}: ok: {scenario.name}, {counted(len(scenario.timeline), 'step')},"
                f" schedulers {', '.join(one.label for one in scenario.schedulers)}"
            )
            for lacking in shortfalls(scenario, limits):
                click.echo(f"{path}: cannot run here: {lacking}", err=True)
                status = status or TestbedError.exit_status
    return status


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from ipvsload.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
