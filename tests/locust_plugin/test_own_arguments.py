"""A locustfile's own arguments beside ours: both work, whoever adds theirs first."""

import json
import re
from pathlib import Path

import configargparse  # type: ignore[import-untyped]
import pytest

from ipvsload.errors import UsageError
from ipvsload.locust_plugin.arguments import add_arguments
from ipvsload.scenario.url import read_url
from tests.load.real import RealServers
from tests.locust_plugin.command import Command

LISTENER = """
@events.init_command_line_parser.add_listener
def _arguments(parser):
    parser.add_argument("--scenario", default="smoke", help="which test data")
    parser.add_argument("--node", default="", help="which shop")
    parser.add_argument("--hz", type=int, default=7)
"""
USER = """
class Visitor(HttpUser):
    @task
    def look(self):
        self.client.get("/ip")


@events.quitting.add_listener
def _quitting(environment, **_):
    print("PARSED", json.dumps(vars(environment.parsed_options), default=str))
"""
HEAD = """
import json
from pathlib import Path

from locust import HttpUser, events, task

from ipvsload import ScenarioShape, watch
"""
WATCH = "\nwatch()\n"
SHAPE = """
watch(Path("none.yaml"))


class Shape(ScenarioShape):
    scenario = Path("none.yaml")
"""
ONCE = ("--headless", "-u", "1", "-t", "1s")


def written(tmp_path: Path, *parts: str) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(HEAD + "".join(parts) + USER)
    return path


@pytest.mark.parametrize("order", [(LISTENER, WATCH), (WATCH, LISTENER)], ids=["first", "last"])
def test_both_work_in_either_order(order: tuple[str, str], tmp_path: Path) -> None:
    file = written(tmp_path, *order)
    with RealServers() as servers:
        host, port = servers.add()
        words = ("-H", f"http://{host}:{port}", *ONCE, "--scenario", "sale", "--node", "north")
        # A pod beside a Service named "ipvsload" has these.
        of_kubernetes = {
            "IPVSLOAD_PORT": "tcp://10.0.0.1:80",
            "IPVSLOAD_SERVICE_HOST": "10.0.0.1",
            "IPVSLOAD_SERVICE_PORT": "80",
            "IPVSLOAD_PORT_80_TCP_ADDR": "10.0.0.1",
        }
        ours = ("--ipvsload-hz", "20", "--ipvsload-servers", "3")
        with Command(tmp_path, file, *words, *ours, environment=of_kubernetes) as command:
            assert command.wait() == 0, command.log
    assert "Traceback" not in command.log
    found = re.search(r"^PARSED (.*)$", command.log, re.MULTILINE)
    assert found
    parsed = json.loads(found[1])
    assert (parsed["scenario"], parsed["node"], parsed["hz"]) == ("sale", "north", 7)
    assert (parsed["ipvsload_hz"], parsed["ipvsload_node"]) == (20.0, "")
    assert (parsed["servers"], parsed["port"]) == (3, 80)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if '"--node"' in text)
    said = f"--node is the argument that {file}:{line} adds; ipvsload's is --ipvsload-node"
    assert said in command.log


@pytest.mark.parametrize("way", ["argument", "variable"])
def test_a_scenario_is_reached_by_the_prefixed_form_or_its_variable(
    way: str, tmp_path: Path
) -> None:
    file = written(tmp_path, LISTENER, SHAPE)
    words: tuple[str, ...] = ("--scenario", "sale", "-H", "http://127.0.0.1:9")
    variables = {}
    if way == "argument":
        words = (*words, "--ipvsload-scenario", "wanted.yaml")
    else:
        variables["IPVSLOAD_SCENARIO"] = "wanted.yaml"
    with Command(tmp_path, file, "--headless", *words, environment=variables) as command:
        assert command.wait() == 2, command.log
    assert "wanted.yaml: no such file" in command.log


def test_both_forms_taken_is_exit_status_2_with_both_places(tmp_path: Path) -> None:
    both = LISTENER + '    parser.add_argument("--ipvsload-node")\n'
    file = written(tmp_path, WATCH, both)
    with Command(tmp_path, file, *ONCE) as command:
        assert command.wait() == 2, command.log
    assert re.search(
        rf"--ipvsload-node: {re.escape(str(file))}:\d+ adds it, and ipvsload needs it"
        r" \(.*own_arguments\.py:\d+\)",
        command.log,
    ), command.log
    assert "Traceback" not in command.log


@pytest.mark.parametrize("port", ["0", "65536", "-1", "tcp", "8_0"])
def test_a_port_out_of_range_is_exit_status_2(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = configargparse.ArgumentParser()  # as Locust's is; importing that patches the process
    add_arguments(parser, None)
    with pytest.raises(SystemExit) as end:
        parser.parse_args([f"--port={port}"])
    assert end.value.code == 2
    assert f"'{port}' is not a port: 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_balancer_at_no_port_is_refused(port: str) -> None:
    with pytest.raises(UsageError, match="with a port from 1 to 65535"):
        read_url(f"http://192.0.2.80:{port}")
