"""The image as it is described; nothing here can build it."""

import re
import tomllib
from pathlib import Path

LINES = Path("deploy/Dockerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]


def steps(name: str) -> list[str]:
    return [rest for word, rest in STEPS if word == name]


def test_all_that_is_copied_is_sent_and_there() -> None:
    ignore = Path(".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {
        source
        for step in steps("COPY")
        if not step.startswith("--from")
        for source in step.split()[:-1]
    }
    assert copied == sent
    assert all(Path(source).exists() for source in copied)
    assert "*" in ignore


def test_what_the_package_is_made_of_is_sent() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())
    wanted = {project["project"]["readme"], *project["project"]["license-files"]}
    wanted |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert wanted <= set(steps("COPY")[0].split()) | set(steps("COPY")[1].split())


def test_it_is_pinned_and_compiles_nothing() -> None:
    assert {step.split()[0] for step in steps("FROM")} == {"python:3.11-slim-bookworm"}
    install = next(step for step in steps("RUN") if "pip" in step)
    assert "--only-binary :all:" in install
    assert "--constraint constraints.txt" in install
    assert not re.search("apt|gcc|build-essential", " ".join(steps("RUN")))


def test_it_ends_as_nobody() -> None:
    assert steps("USER") == ["65532:65532"]
    assert STEPS[-1] == ["ENTRYPOINT", '["locust"]']


def test_the_documentation_speaks_of_this_image() -> None:
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    assert f"ipvsload:{version}" in Path("deploy/Dockerfile").read_text()
