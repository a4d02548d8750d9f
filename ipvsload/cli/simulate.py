"""`ipvsload simulate`: a scenario on the model of IPVS, recorded and judged as a real run."""

from pathlib import Path

import click

from ipvsload.cli.name_completion import complete_scenario, complete_scheduler
from ipvsload.cli.records import conclude, details_option
from ipvsload.cli.repeats import Repeats, wanted_repeats, with_repeats
from ipvsload.cli.self_check import (
    begin_self_check,
    blocks_of_each,
    column_to_check,
    self_check_option,
)
from ipvsload.cli.summarized import summarize_simulation
from ipvsload.cli.terminal import say, tell
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import IpvsloadError, UsageError


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), shell_complete=complete_scenario)
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    metavar="LABEL",
    shell_complete=complete_scheduler,
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
@self_check_option
@details_option
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
    comparisons: int | None,
    details: bool,
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
    from ipvsload.scenario.self_check import checked_columns
    from ipvsload.scenario.shipped import scenario_path
    from ipvsload.simulate.play_model import model_testbed, play_model
    from ipvsload.simulate.simulation_size import refuse_too_large, refuse_too_long_a_record

    times = wanted_repeats(repeats, precision, max_repeats)
    if comparisons:
        times = blocks_of_each(times)
    path = scenario_path(scenario)
    text = read(path)
    plan = parse_scenario(text, str(path), ScenarioFiles(path.parent))
    text = with_files(text, plan)
    scale = ScaledBy(servers, directors, seed)
    plan = scaled(plan, scale)
    wanted, columns = wanted_variants(schedulers, plan), 1
    if comparisons:
        wanted, columns = (column_to_check(schedulers, plan),), 2 * comparisons
    if comparisons and summary:
        raise UsageError("--self-check needs a record: do without --summary")
    refuse_unknown_rules(wanted)
    refuse_too_large(plan, summary=summary)
    testbed = model_testbed(plan)
    check_capabilities(plan.name, plan.needs(wanted), testbed.lacks)
    if summary:
        from ipvsload.simulate.summarized_plan import refuse_what_needs_a_record

        refuse_what_needs_a_record(plan, wanted)
    elif hint := refuse_too_long_a_record(plan, wanted, times.most * columns):
        say(hint)
    directory = out or make_directory(plan.name)
    if summary:
        return summarize_simulation(
            plan, text, wanted, times, directory, scale.notes, details=details
        )
    writer = RunWriter(
        directory, scenario_text=text, scenario=plan.name, testbed="model", origin_unix_us=0
    )
    failure: IpvsloadError | None = None
    try:
        if scale != ScaledBy():
            writer.event(ScenarioScaled(0, 0, servers, directors, seed))
        rule, apart = None, {}
        if times.precision:
            rule = PrecisionRule(directory, plan, wanted, times.precision)
        if comparisons:
            check = begin_self_check(wanted[0], comparisons, times.most, writer, 0, apart=True)
            wanted = checked_columns(wanted[0], check)
            times, apart = Repeats(check.repeats), {check.again: check.repeats}
        play_model(plan, testbed, writer, wanted, times.most, rule, BlocksTold(say), apart)
    except IpvsloadError as error:
        failure = error
        if isinstance(error, StoppedError):
            tell("interrupted: reading what was recorded; Ctrl-C again leaves it at that")
    finally:
        writer.close()
    return conclude(directory, failure, details=details)
