"""The table over OpenTelemetry, with and without it."""

import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData

from ipvsload.locust_plugin.metrics import opentelemetry as telemetry
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from tests.locust_plugin.scripted import FIRST, NODE, SECOND, SERVICE, sample, server, two
from tests.patience import HUNG_AFTER_S

LOCUSTFILE = """
from ipvsload.locust_plugin.metrics import opentelemetry as telemetry
from locust import User, constant, events, task
from tests.locust_plugin.scripted import NODE, two

samples = {NODE: two(conns=100)}

@events.quitting.add_listener
def end(**_):
    samples.clear()

@events.init.add_listener
def begin(environment, **_):
    telemetry.install(environment, lambda: samples, lambda: None)

class Somebody(User):
    wait_time = constant(0.1)

    @task
    def ask(self):
        self.environment.events.request.fire(
            request_type="GET", name="/", response_time=20, response_length=0,
            exception=None, context={},
        )
"""


def figures(data: MetricsData | dict[str, Any] | None) -> dict[str, dict[tuple[str, ...], float]]:
    """By instrument and (node, service, server): the value."""
    if isinstance(data, MetricsData):
        data = json.loads(data.to_json())
    return {
        metric["name"]: {
            tuple(point["attributes"].get(key, "") for key in ("node", "service", "server")): point[
                "value"
            ]
            for point in metric["data"]["data_points"]
            if "value" in point
        }
        for resource in (data or {"resource_metrics": []})["resource_metrics"]
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
    }


FIRST_ONE, SECOND_ONE = (NODE, SERVICE, FIRST), (NODE, SERVICE, SECOND)
TWO = {
    "ipvs.connections.active": {FIRST_ONE: 10, SECOND_ONE: 20},
    "ipvs.connections.inactive": {FIRST_ONE: 20, SECOND_ONE: 40},
    "ipvs.connections.scheduled": {FIRST_ONE: 100, SECOND_ONE: 300},
    "ipvs.weight": {FIRST_ONE: 1, SECOND_ONE: 2},
    "ipvs.packets.in": {FIRST_ONE: 500, SECOND_ONE: 1500},
    "ipvs.packets.out": {FIRST_ONE: 600, SECOND_ONE: 1800},
    "ipvs.bytes.in": {FIRST_ONE: 50_000, SECOND_ONE: 150_000},
    "ipvs.bytes.out": {FIRST_ONE: 70_000, SECOND_ONE: 210_000},
}


WITH_OTEL = Namespace(
    parsed_options=Namespace(otel=True),
    events=Namespace(quitting=Namespace(add_listener=lambda listener: None)),
)


def test_the_last_samples_are_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    samples: dict[str, Sample] = {}
    busy = ServerOccupancy(FIRST, 8, 3, 90, 0, 0), ServerOccupancy(SECOND, 1, 0, 7, 0, 0)
    told: list[OccupancySample] = []
    telemetry.install(WITH_OTEL, lambda: samples, lambda: told[-1] if told else None)
    assert figures(reader.get_metrics_data()) == {}
    samples[NODE] = two(conns=100)
    assert figures(reader.get_metrics_data()) == TWO
    told.append(OccupancySample(1, 0, busy))
    assert figures(reader.get_metrics_data()) == TWO | {
        "server.workers.busy": {("", "", FIRST): 8, ("", "", SECOND): 1},
        "server.queue.length": {("", "", FIRST): 3, ("", "", SECOND): 0},
    }
    samples[NODE] = sample(server(SECOND, 5))
    left = figures(reader.get_metrics_data())
    assert left["ipvs.connections.active"] == {SECOND_ONE: 50}
    # A service made anew counts from zero.
    assert left["server.workers.busy"] == {("", "", SECOND): 1}
    assert left["ipvs.connections.scheduled"] == {SECOND_ONE: 0}
    provider.shutdown()


def test_a_thousand_servers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    many = sample(*(server(f"198.51.{n // 250}.{n % 250}:80", n) for n in range(1000)))
    telemetry.install(WITH_OTEL, lambda: {NODE: many}, lambda: None)
    assert {len(found) for found in figures(reader.get_metrics_data()).values()} == {1000}
    provider.shutdown()


@pytest.mark.parametrize("options", ["None", "Namespace(otel=False)", "Namespace()"])
def test_without_the_flag_nothing_is_imported(options: str) -> None:
    script = f"""
import sys
from argparse import Namespace
from ipvsload.locust_plugin.metrics import opentelemetry as telemetry
telemetry.install(Namespace(parsed_options={options}), dict, dict)
assert not any(name.startswith("opentelemetry") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_documentation_has_all_instruments() -> None:
    text = Path("docs/prometheus.md").read_text()
    assert set(re.findall(r"`(ipvs\.[a-z.]+)`", text)) == set(TWO)
    assert {"`server.workers.busy`", "`server.queue.length`"} <= set(re.findall(r"`[a-z.]+`", text))


def test_without_the_package_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    telemetry.install(WITH_OTEL, dict, lambda: None)


def test_in_locust_by_its_own_exporter(tmp_path: Path) -> None:
    locustfile = tmp_path / "observed.py"
    locustfile.write_text(LOCUSTFILE)
    modes = ["--otel", "--headless", "-u", "1", "-t", "1s", "--only-summary", "--skip-log-setup"]
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(locustfile), *modes],
        env={
            **os.environ,
            "PYTHONPATH": str(Path.cwd()),
            "OTEL_METRICS_EXPORTER": "console",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        },
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    # Beside it on standard output is Locust's summary.
    found, _ = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("{\n") :])
    values = figures(found)
    assert {name: values[name] for name in TWO} == TWO
    assert "locust.client.duration" in values
