"""The README tells the truth: its scenario is one, its commands exist."""

import re
from pathlib import Path

from click.testing import CliRunner

from ipvsload.cli import cli
from ipvsload.scenario.load import parse_scenario

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_its_scenario_is_valid() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    scenario = parse_scenario(text, "README.md")
    assert scenario.name == "busy"


def test_its_commands_and_options_exist() -> None:
    lines = re.findall(r"^\$ (?:sudo .venv/bin/)?ipvsload (.*?)(?:#.*)?$", README, re.MULTILINE)
    assert len(lines) >= 7
    for line in lines:
        name, *rest = line.split(" -- ")[0].split()
        assert name in cli.commands
        shown = CliRunner().invoke(cli, [name, "--help"]).output
        for option in (word for word in rest if word.startswith("--")):
            assert option in shown, (name, option)


def test_its_files_exist() -> None:
    links = re.findall(r"\]\(([^):#]+)", README)
    assert len(links) >= 4
    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link
