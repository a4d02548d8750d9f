"""What bad input gets: a clear line, exit status 3 (2 for usage), nothing changed, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.toy import Toy
from tests.patience import HUNG_AFTER_S

SKEW = str(Path(__file__).parents[2] / "scenarios" / "skew.yaml")
KILL = str(Path(__file__).parents[2] / "scenarios" / "server-dies.yaml")


def run(*words: str, place: Path, config: str | None) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(place)}
    if config is not None:
        (place / "config").write_text(config)
        environment["KUBECONFIG"] = str(place / "config")
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env=environment,
    )


def play(place: Path, config: str | None, *more: str) -> "subprocess.CompletedProcess[str]":
    out = ("--out", str(place / "out"))
    done = run("run", SKEW, "--testbed", "kubernetes", *out, *more, place=place, config=config)
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.mark.parametrize(
    ("config", "more", "status", "words"),
    [
        (None, (), 3, "there is no kubeconfig"),
        ("a: [", (), 3, "kubeconfig"),
        ("just words", (), 3, "kubeconfig"),
        ("{}", (), 3, "kubeconfig"),
        ("ok", ("--context", "nowhere"), 2, "--context nowhere"),
        ("ok", ("--node", "nowhere"), 2, "--node nowhere"),
        ("ok", ("--kernel", "uml"), 2, "--kernel is an option of --testbed lab"),
        ("ok", ("--service", "Other"), 2, "--service"),
    ],
)
def test_a_kubeconfig_or_an_option(
    toy: Toy, tmp_path: Path, config: str | None, more: tuple[str, ...], status: int, words: str
) -> None:
    before = toy.cluster.picture()
    done = play(tmp_path, toy.cluster.config() if config == "ok" else config, *more)
    assert done.returncode == status, done.stdout + done.stderr
    assert words in done.stderr
    assert toy.cluster.picture() == before


def test_a_login_that_has_expired(toy: Toy, tmp_path: Path) -> None:
    toy.cluster.fault = lambda method, path: Refusal(401, "Unauthorized")
    done = play(tmp_path, toy.cluster.config())
    assert done.returncode == 3
    assert "log in again" in done.stderr


def test_a_cluster_without_rights(toy: Toy, tmp_path: Path) -> None:
    before = toy.cluster.picture()
    toy.cluster.allowed = lambda attributes: False
    done = play(tmp_path, toy.cluster.config())
    assert done.returncode == 3
    assert "list nodes (to find the nodes and their addresses)" in done.stderr
    assert "rights.yaml" in done.stderr or "deploy/kubernetes-testbed" in done.stderr
    assert toy.cluster.picture() == before


def test_something_else_answers(toy: Toy, tmp_path: Path) -> None:
    config = toy.cluster.config().replace('"server": "http://127', '"server": "http://x.invalid')
    config = config.replace("x.invalid.0.0.1", "127.0.0.1:9/nothing?")
    done = run("restore", place=tmp_path, config=config)
    assert "Traceback" not in done.stderr
    assert done.returncode == 3


def test_a_scenario_that_a_cluster_cannot_play(toy: Toy, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "out"))
    done = run(
        "run", KILL, "--testbed", "kubernetes", *out, place=tmp_path, config=toy.cluster.config()
    )
    assert done.returncode == 2
    assert "faults need the lab" in done.stderr
    assert toy.cluster.requests == []


def test_restore_where_there_is_nothing(toy: Toy, tmp_path: Path) -> None:
    done = run("restore", place=tmp_path, config=toy.cluster.config())
    assert done.returncode == 0
    assert "there is nothing of ipvsload" in done.stdout


def test_a_proxy_mode_needs_a_testbed_that_has_it(tmp_path: Path) -> None:
    elsewhere = ("--testbed", "external", "--url", "http://192.0.2.80")
    done = run("run", SKEW, "--scheduler", "iptables", *elsewhere, place=tmp_path, config=None)
    assert done.returncode == 2
    assert "--testbed lab or kubernetes" in done.stderr
