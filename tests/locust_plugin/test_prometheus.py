"""A real Prometheus scrapes Locust's page, and finds what was put there."""

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.real import free_port, fresh_address
from tests.locust_plugin.prometheus import Prometheus, fetch, prometheus
from tests.locust_plugin.scripted import FIRST, NODE, ODD, SECOND, SERVICE
from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.programs

DASHBOARD = json.loads(Path("deploy/grafana/ipvsload.json").read_text())
EXPRESSIONS = [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]
VARIABLES = [
    variable["query"]["query"]
    for variable in DASHBOARD["templating"]["list"]
    if variable["type"] == "query"
]


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """Locust's page with scripted figures; its address."""
    host = fresh_address()
    port = free_port(host)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.locust_plugin.inside_web", "serve", host, str(port)]
    )
    try:
        yield f"{host}:{port}"
    finally:
        process.terminate()
        process.wait(HUNG_AFTER_S)


@pytest.fixture(scope="module")
def server(page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen the service made anew, and some more."""
    with prometheus(page, tmp_path_factory.mktemp("prometheus")) as one:
        one.wait("resets(ipvsload_connections_total[1m]) > 0")
        one.wait("count_over_time(ipvsload_sidecar_up[1m]) >= 7")
        one.at = time.time()
        yield one


def test_it_finds_the_table(server: Prometheus) -> None:
    labels = {"node": NODE, "service": SERVICE, "job": "ipvsload"}
    found = server.query("ipvsload_active_connections")
    assert [({**one, "instance": ""}, value) for one, value in found] == [
        ({**labels, "__name__": "ipvsload_active_connections", "server": address, "instance": ""},
         value)
        for address, value in ((FIRST, 10), (SECOND, 20))
    ]  # fmt: skip
    assert server.value("sum(ipvsload_weight)") == 3
    assert server.value("ipvsload_sidecar_up") == 1
    assert server.value("ipvsload_sample_age_seconds") < 0.2
    assert server.value('ipvsload_users{user_class="ShortUser"}') == 7
    joined = server.query(
        "ipvsload_active_connections * on (node, service) group_left (scheduler)"
        " ipvsload_scheduler_info"
    )
    assert [one["scheduler"] for one, _ in joined] == ["lc", "lc"]


def test_rates_hold_over_a_service_made_anew(server: Prometheus) -> None:
    rates = dict.fromkeys((FIRST, SECOND), 0.0)
    for labels, value in server.query("rate(ipvsload_connections_total[5s])"):
        rates[labels["server"]] = value
    # 100 and 300 a second; what the reset itself swallows is at most a scrape.
    assert rates[FIRST] == pytest.approx(100, rel=0.25)
    assert rates[SECOND] == pytest.approx(3 * rates[FIRST], rel=0.1)


def test_requests(server: Prometheus) -> None:
    short = 'ipvsload_requests_total{class="ShortUser"}'
    assert server.value(f"sum(rate({short}[5s]))") == pytest.approx(100, rel=0.25)
    failed = short.replace("}", ', outcome="failed"}')
    share = f"sum(rate({failed}[5s])) / sum(rate({short}[5s]))"
    assert server.value(share) == pytest.approx(0.1, rel=0.02)
    by_server = dict.fromkeys((FIRST, SECOND, ""), 0.0)
    for labels, value in server.query(f"sum by (server) (rate({short}[5s]))"):
        by_server[labels.get("server", "")] = value
    assert by_server[SECOND] / by_server[FIRST] == pytest.approx(2)


def test_percentiles(server: Prometheus) -> None:
    """8 of 10 short requests took 10 to 16 ms, one 900 ms; long ones five seconds."""

    def quantile(share: float, name: str) -> float:
        buckets = f'ipvsload_request_duration_seconds_bucket{{class="{name}"}}'
        return server.value(f"histogram_quantile({share}, sum by (le) (rate({buckets}[5s])))")

    assert 0.01 < quantile(0.5, "ShortUser") <= 0.02
    assert 0.5 < quantile(0.95, "ShortUser") <= 1
    assert 5 < quantile(0.5, "LongUser") <= 10


def test_a_label_with_everything_in_it(server: Prometheus) -> None:
    names = [
        labels["class"] for labels, _ in server.query("sum by (class) (ipvsload_requests_total)")
    ]
    assert sorted(names) == sorted(["LongUser", "ShortUser", ODD])
    assert server.query(f"ipvsload_requests_total{{class={json.dumps(ODD, ensure_ascii=False)}}}")


def test_promtool_has_nothing_to_say(page: str, server: Prometheus) -> None:
    with fetch(f"http://{page}/metrics", timeout=HUNG_AFTER_S) as answer:
        text = answer.read()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize(("panel", "expression"), EXPRESSIONS, ids=str)
def test_every_panel_of_the_dashboard_shows_something(
    panel: str, expression: str, server: Prometheus
) -> None:
    filled = expression.replace("$__rate_interval", "5s")
    filled = re.sub(r"\$(node|service|class)\b", ".*", filled)
    assert "$" not in filled
    values = [value for _, value in server.query(filled)]
    assert values
    assert not any(math.isnan(value) for value in values)
    assert any(values)


@pytest.mark.parametrize("query", VARIABLES)
def test_every_variable_of_the_dashboard_has_values(query: str, server: Prometheus) -> None:
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert found
    metric, label = found.groups()
    assert all(labels[label] for labels, _ in server.query(f"count by ({label}) ({metric})"))
