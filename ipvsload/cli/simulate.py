"""`ipvsload simulate`: a scenario on the model of IPVS, recorded and judged as a real run."""

from pathlib import Path
from typing import Any

import click

from ipvsload.cli.asked_experiment import asked_experiment, asks_for_experiment
from ipvsload.cli.records import conclude
from ipvsload.cli.regression import write_kept
from ipvsload.cli.repeats import Repeats
from ipvsload.cli.self_check import begin_self_check
from ipvsload.cli.summarized import summarize_simulation
from ipvsload.cli.terminal import say, tell
from ipvsload.errors import IpvsloadError, UsageError


@click.command()
@asks_for_experiment
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
def simulate(
    servers: int | None,
    directors: int | None,
    seed: int | None,
    summary: bool,
    out: Path | None,
    details: bool,
    **options: Any,
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
    from ipvsload.record.format import MODEL
    from ipvsload.record.writer import RunWriter
    from ipvsload.scenario.capabilities import check_capabilities
    from ipvsload.scenario.model_rule import refuse_unknown_rules
    from ipvsload.scenario.scaled import ScaledBy, scaled
    from ipvsload.scenario.self_check import checked_columns
    from ipvsload.simulate.play_model import model_testbed, play_model
    from ipvsload.simulate.simulation_size import refuse_too_large, refuse_too_long_a_record

    scale = ScaledBy(servers, directors, seed)
    asked = asked_experiment(MODEL, **options, change=lambda plan: scaled(plan, scale))
    plan, wanted, times = asked.plan, asked.wanted, asked.times
    if asked.comparisons and summary:
        raise UsageError("--self-check needs a record: do without --summary")
    refuse_unknown_rules(wanted)
    refuse_too_large(plan, summary=summary)
    testbed = model_testbed(plan)
    check_capabilities(plan.name, plan.needs(wanted), testbed.lacks)
    if summary:
        from ipvsload.simulate.summarized_plan import refuse_what_needs_a_record

        refuse_what_needs_a_record(plan, wanted)
    elif hint := refuse_too_long_a_record(plan, wanted, asked.most_runs_of_each):
        say(hint)
    directory = out or make_directory(plan.name)
    if summary:
        return summarize_simulation(asked, directory, scale, details=details)
    writer = RunWriter(
        directory, scenario_text=asked.text, scenario=plan.name, testbed=MODEL, origin_unix_us=0
    )
    write_kept(directory, asked.kept)
    failure: IpvsloadError | None = None
    try:
        if scale != ScaledBy():
            writer.event(ScenarioScaled(0, 0, servers, directors, seed))
        rule, apart = None, {}
        if times.precision:
            rule = PrecisionRule(directory, plan, wanted, times.precision)
        if asked.comparisons:
            check = begin_self_check(
                wanted[0], asked.comparisons, times.most, writer, 0, apart=True
            )
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
