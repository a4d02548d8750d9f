"""What a shell completes beside commands, options and choices: names of scenarios and schedulers.

Only names that cost nothing to know: a shell waits while somebody types. So a scenario's own labels
are not among them.
"""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ipvsload.scenario.balancers import BALANCERS


def complete_scenario(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The shipped scenarios of these letters and YAML files; any file where there are none."""
    from ipvsload.scenario.shipped import shipped_scenarios

    names = [name for name in shipped_scenarios() if name.startswith(begun)]
    if not names:
        return [CompletionItem(begun, type="file")]
    # A shell that has words takes them for all there is: so files are words, too.
    files = [str(path) for path in sorted(Path().glob("*.y*ml")) if path.name.startswith(begun)]
    return [CompletionItem(word) for word in (*names, *files)]


def complete_scheduler(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The balancers of these letters."""
    return [CompletionItem(name) for name in BALANCERS if name.startswith(begun)]
