"""`ipvsload init` and `ipvsload locustfile`: a file to begin with, which runs as it is."""

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ipvsload.cli.name_completion import complete_scenario
from ipvsload.errors import UsageError

STARTERS = Path(__file__).parent / "starters"
_NO_NAME = "scenario"
_IMPORT = "from ipvsload.scenario.shipped import scenario_path\n"


def _file_argument(default: str) -> Callable[..., Any]:
    return click.argument("file", default=default, type=click.Path(path_type=Path))


@click.command()
@_file_argument("scenario.yaml")
def init(file: Path) -> None:
    """Write a commented scenario to FILE: it runs as it is, and is there to be changed.

    FILE is scenario.yaml where none is given. What is there already is left alone.
    """
    text = (STARTERS / "scenario.yaml").read_text(encoding="utf-8")
    _write_new(file, text.replace("NAME", _name_of(file)).replace("FILE", _shown(file)))
    click.echo(
        f"{file} is written. Next:\n"
        f"  ipvsload simulate {_shown(file)}   in a second, on a model of IPVS\n"
        f"  ipvsload run {_shown(file)}        on a real kernel, in the lab\n"
        f"  ipvsload validate {_shown(file)}   after each change"
    )


@click.command()
@_file_argument("locustfile.py")
@click.option(
    "--scenario",
    type=click.Path(path_type=Path),
    shell_complete=complete_scenario,
    help="Have it play this scenario, a file or the name of a shipped one, in place of users of"
    " your own.",
)
def locustfile(file: Path, scenario: Path | None) -> None:
    """Write a locustfile to FILE, for Locust's own command and page.

    FILE is locustfile.py where none is given, which Locust finds by itself. What is there
    already is left alone.
    """
    from ipvsload.scenario.load import load
    from ipvsload.scenario.shipped import scenario_path

    if scenario is None:
        text = (STARTERS / "own_users.txt").read_text(encoding="utf-8")
    else:
        found = scenario_path(scenario)
        load(found)
        text = (STARTERS / "scenario_shape.txt").read_text(encoding="utf-8")
        if found == scenario:
            near = json.dumps(os.path.relpath(found, file.parent))
            text = text.replace("PATH", f"Path(__file__).parent / {near}")
        else:
            text = text.replace("PATH", f'scenario_path(Path("{scenario}"))')
            text = text.replace(", watch\n", f", watch\n{_IMPORT}", 1)
    _write_new(file, text.replace("FILE", _shown(file)))
    click.echo(
        f"{file} is written. Next:\n"
        f"  locust -f {_shown(file)}   and Locust's page, http://localhost:8089"
    )


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet, or none. Raises UsageError."""
    try:
        with file.open("x", encoding="utf-8") as stream:
            try:
                stream.write(text)
                stream.flush()
            except OSError:
                file.unlink()
                raise
    except FileExistsError:
        raise UsageError(
            f"{file}: it is there already and stays as it is: name another file, or remove it"
        ) from None
    except OSError as error:
        raise UsageError(f"{file}: cannot write: {error.strerror}") from None


def _shown(file: Path) -> str:
    """It as a word for a shell, on one line."""
    return shlex.quote(str(file)) if str(file).isprintable() else "FILE"


def _name_of(file: Path) -> str:
    """A scenario's name out of a file's: "My load.yaml" is "my-load"."""
    words = re.sub(r"[^a-z0-9_]+", "-", file.stem.lower()).strip("-")[:32]
    return words if re.match("[a-z]", words) else _NO_NAME
