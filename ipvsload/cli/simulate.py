"""`ipvsload simulate`: a scenario on the model of IPVS, recorded and judged as a real run."""

from pathlib import Path

import click

from ipvsload.cli.records import conclude
from ipvsload.cli.repeats import wanted_repeats, with_repeats
from ipvsload.cli.summarized import summarize_simulation
from ipvsload.cli.terminal import say, tell
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import IpvsloadError


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    metavar="LABEL",
    help="Simulate only this one: one of the scenario, by its label, or any other by its name;"
    " may be given again. Default: those of the scenario.",
)
@click.option(
    "--servers",
    type=click.IntRange(1, 100_000),
    help="Real servers at the start, with as many times the load. Default: the scenario's.",
)
@click.option(
    "--directors",
    type=click.IntRange(1, 1_000),
    help="Directors over the same servers. Default: the scenario's.",
)
@with_repeats
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    help="Of what is drawn at random. Default: the scenario's.",
)
@click.option(
    "--summary",
    is_flag=True,
    help="Keep no single request, for millions of connections: tables and results.json, without"
    " records and charts.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Directory of the record, new or empty. Default: runs/NAME-TIME.",
)
def simulate(
    scenario: Path,
    schedulers: tuple[str, ...],
    servers: int | None,
    directors: int | None,
    repeats: int | str,
    precision: float | None,
    max_repeats: int | None,
    seed: int | None,
    summary: bool,
    out: Path | None,
) -> int:
    """Simulate SCENARIO for each scheduler and compare them.

    No kernel, no root, no network: a model of IPVS on a virtual clock. SCENARIO is a
    file, or the name of a shipped scenario, as skew.
    """
    from ipvsload.experiment.precision_rule import PrecisionRule
    from ipvsload.experiment.progress import BlocksTold
    from ipvsload.experiment.run_directory import make_directory
    from ipvsload.experiment.session import StoppedError
    from ipvsload.record.events import ScenarioScaled
    from ipvsload.record.writer import RunWriter
    from ipvsload.scenario.capabilities import check_capabilities
    from ipvsload.scenario.load import parse_scenario, read, with_files
    from ipvsload.scenario.model_rule import refuse_unknown_rules
    from ipvsload.scenario.scaled import ScaledBy, scaled
    from ipvsload.scenario.scenario_files import ScenarioFiles
    from ipvsload.scenario.shipped import scenario_path
    from ipvsload.simulate.play_model import model_testbed, play_model
    from ipvsload.simulate.simulation_size import refuse_too_large, refuse_too_long_a_record

    times = wanted_repeats(repeats, precision, max_repeats)
    path = scenario_path(scenario)
    text = read(path)
    plan = parse_scenario(text, str(path), ScenarioFiles(path.parent))
    text = with_files(text, plan)
    scale = ScaledBy(servers, directors, seed)
    plan = scaled(plan, scale)
    wanted = wanted_variants(schedulers, plan)
    refuse_unknown_rules(wanted)
    refuse_too_large(plan, summary=summary)
    testbed = model_testbed(plan)
    check_capabilities(plan.name, plan.needs(wanted), testbed.lacks)
    if summary:
        from ipvsload.simulate.summarized_plan import refuse_what_needs_a_record

        refuse_what_needs_a_record(plan, wanted)
    elif hint := refuse_too_long_a_record(plan, wanted, times.most):
        say(hint)
    directory = out or make_directory(plan.name)
    if summary:
        return summarize_simulation(plan, text, wanted, times, directory, scale.notes)
    writer = RunWriter(
        directory, scenario_text=text, scenario=plan.name, testbed="model", origin_unix_us=0
    )
    failure: IpvsloadError | None = None
    try:
        if scale != ScaledBy():
            writer.event(ScenarioScaled(0, 0, servers, directors, seed))
        rule = None
        if times.precision:
            rule = PrecisionRule(directory, plan, wanted, times.precision)
        play_model(plan, testbed, writer, wanted, times.most, rule, BlocksTold(say))
    except IpvsloadError as error:
        failure = error
        if isinstance(error, StoppedError):
            tell("interrupted: reading what was recorded; Ctrl-C again leaves it at that")
    finally:
        writer.close()
    return conclude(directory, failure)
