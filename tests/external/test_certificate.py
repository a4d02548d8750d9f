"""An https director: its certificate is judged before any load is sent."""

import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.scenario.url import read_url
from ipvsload.testbed.external.certificate import check_certificate
from tests.load.https_server import Authority, https_server, make_authority
from tests.patience import HUNG_AFTER_S

SCENARIO = """
name: secure
schedulers: [rr]
traffic:
  short: {users: 2, requests: 10}
timeline:
  - start: short
    until: done{class=short}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


def run(directory: Path, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    scenario = directory / "secure.yaml"
    scenario.write_text(SCENARIO)
    bed = ("--testbed", "external", "--url", url, "--sidecar", "cat /dev/null")
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", "run", scenario, *bed, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


def test_a_certificate_that_is_refused_ends_the_run_before_it_begins(
    files: Authority, tmp_path: Path
) -> None:
    with https_server(files) as (target, peers):
        done = run(tmp_path, str(target))
        assert done.returncode == 3
        assert f"{target}: certificate: unable to get local issuer" in done.stderr
        assert "--ca FILE" in done.stderr
        # Trusted, it is the sidecar's turn, which says nothing here.
        done = run(tmp_path, str(target), "--ca", files.ca)
        assert "--sidecar" in done.stderr
    assert peers == []


def test_a_certificate_of_another_name_is_not_for_another_authority_to_mend(
    files: Authority, tmp_path: Path
) -> None:
    with https_server(files) as (target, _):
        done = run(tmp_path, f"https://localhost:{target.port}", "--ca", files.ca)
    assert done.returncode == 3
    assert "have the URL name the host as the certificate does" in done.stderr
    assert "--ca FILE" not in done.stderr


def test_a_server_that_wants_a_certificate_says_so(files: Authority, tmp_path: Path) -> None:
    with https_server(files, demands_certificate=True) as (target, _):
        done = run(tmp_path, str(target), "--ca", files.ca)
        assert done.returncode == 3
        assert "show one with --client-cert FILE" in done.stderr
        done = run(tmp_path, str(target), "--ca", files.ca, "--client-cert", files.client)
        assert "--sidecar" in done.stderr


def test_a_server_that_cannot_be_reached_is_for_the_run_to_tell() -> None:
    # The system's own error, as where there is no route.
    check_certificate(read_url("https://255.255.255.255"))


@pytest.mark.parametrize(
    ("url", "words", "said"),
    [
        ("https://a..b", (), "host 'https://a..b': expected http://ADDRESS"),
        ("http://127.0.0.1:9", ("--insecure",), "--insecure is for https://"),
        ("https://127.0.0.1:9", ("--ca", "/no/such.pem"), "--ca /no/such.pem: No such file"),
        ("https://127.0.0.1:9", ("--client-key", "k"), "--client-key needs its certificate"),
        ("https://127.0.0.1:9", ("--ca", "c", "--insecure"), "give one"),
    ],
)
def test_options_that_do_not_fit_are_bad_usage(
    url: str, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = run(tmp_path, url, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
