"""What /metrics says, and to whom."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from ipvsload.locust_plugin.metrics.prometheus import TableAndLoad, _encoder
from ipvsload.locust_plugin.metrics.request_counter import LABELS, RequestCounter
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from tests.locust_plugin.scripted import (
    FIRST,
    NODE,
    ODD,
    SECOND,
    SERVICE,
    requests,
    sample,
    server,
    two,
)
from tests.patience import HUNG_AFTER_S

DOCUMENTATION = Path("docs/prometheus.md")
OPEN = "application/openmetrics-text; version=1.0.0"
PROMETHEUS_2_42 = f"{OPEN},{OPEN[:-5]}0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def collector(
    samples: Callable[[], Mapping[str, Sample]] = dict,
    counter: RequestCounter | None = None,
    up: bool = True,
    users: Mapping[str, int] | None = None,
    pause: Callable[[], None] = lambda: None,
    occupancy: OccupancySample | None = None,
) -> TableAndLoad:
    return TableAndLoad(
        counter or RequestCounter(),
        samples,
        lambda: up,
        lambda: users or {},
        lambda: 3_500_000,
        lambda: occupancy,
        lambda: {SERVICE: "by-port"},
        pause,
    )


def scrape(of: TableAndLoad, accept: str = OPEN) -> Values:
    """All values by name and labels, through one of the two formats; none comes twice."""
    encode, content_type = _encoder(accept)
    text = encode(of).decode()
    parse = parse_open if content_type.startswith("application/openmetrics") else parse_plain
    values: Values = {}
    for family in parse(text):
        assert family.documentation
        for line in family.samples:
            key = line.name, frozenset(line.labels.items())
            assert key not in values
            values[key] = line.value
    return values


def pick(values: Values, name: str, **labels: str) -> float:
    return values[f"ipvsload_{name}", frozenset(labels.items())]


@pytest.mark.parametrize("accept", ["", PROMETHEUS_2_42])
def test_the_kernels_table(accept: str) -> None:
    values = scrape(collector(lambda: {NODE: two(conns=100, t_us=1_000_000)}), accept)
    first = {"node": NODE, "service": SERVICE, "server": FIRST}
    second = {"node": NODE, "service": SERVICE, "server": SECOND}
    assert pick(values, "active_connections", **first) == 10
    assert pick(values, "active_connections", **second) == 20
    assert pick(values, "inactive_connections", **second) == 40
    assert pick(values, "weight", **second) == 2
    assert pick(values, "connections_total", **second) == 300
    assert pick(values, "packets_total", **first, direction="in") == 500
    assert pick(values, "packets_total", **first, direction="out") == 600
    assert pick(values, "bytes_total", **first, direction="in") == 50_000
    assert pick(values, "bytes_total", **first, direction="out") == 70_000
    named = {"scheduler": "lc", "label": "by-port"}
    assert pick(values, "scheduler_info", node=NODE, service=SERVICE, **named) == 1
    assert pick(values, "sample_age_seconds", node=NODE) == 2.5
    assert pick(values, "sidecar_up") == 1


@pytest.mark.parametrize("accept", ["", PROMETHEUS_2_42])
def test_the_load(accept: str) -> None:
    counter = RequestCounter()
    requests(counter)
    counter.take()  # a take, by whomever, takes nothing from the totals
    requests(counter)
    values = scrape(collector(counter=counter, users={"ShortUser": 7, "LongUser": 0}), accept)
    short = {"class": "ShortUser"}
    assert pick(values, "requests_total", **short, server=FIRST, outcome="ok") == 6
    assert pick(values, "requests_total", **short, server=FIRST, outcome="failed") == 0
    assert pick(values, "requests_total", **short, server="", outcome="failed") == 2
    assert pick(values, "failures_total", **short, kind="refused") == 2
    assert pick(values, "retries_total", **short) == 0
    duration = "request_duration_seconds"
    assert pick(values, f"{duration}_bucket", **short, le="0.01") == 0
    assert pick(values, f"{duration}_bucket", **short, le="0.02") == 18
    assert pick(values, f"{duration}_bucket", **short, le="1.0") == 20
    assert pick(values, f"{duration}_bucket", **short, le="+Inf") == 20
    assert pick(values, f"{duration}_count", **short) == 20
    assert pick(values, f"{duration}_sum", **short) == pytest.approx(
        2 * (0.9 + 3 * 0.0115 + 6 * 0.013)
    )
    # A request without a duration is a request.
    assert pick(values, "requests_total", **{"class": ODD}, server="", outcome="ok") == 2
    assert pick(values, f"{duration}_count", **{"class": ODD}) == 0
    assert pick(values, "users", user_class="ShortUser") == 7
    assert pick(values, "users", user_class="LongUser") == 0


BUSY = OccupancySample(
    1, 0, (ServerOccupancy(FIRST, 8, 3, 90, 2, 1_500_000), ServerOccupancy(SECOND, 1, 0, 7, 0, 0))
)


def test_busy_servers_and_time_in_their_queues() -> None:
    counter = RequestCounter()
    for us in (50, 1500, 30_000_000):
        counter.request("short", FIRST, us / 1000 + 20, None, queue_us=us)
    counter.request("short", FIRST, 1.0, "status 503", queue_us=0, late_us=300)
    counter.request("long", FIRST, 1.0, None)
    values = scrape(collector(lambda: {NODE: sample(server(FIRST, 1))}, counter, occupancy=BUSY))
    assert pick(values, "busy_workers", server=FIRST) == 8
    assert pick(values, "queue_length", server=FIRST) == 3
    assert pick(values, "worker_busy_seconds_total", server=FIRST) == 1.5
    assert pick(values, "overflowed_requests_total", server=FIRST) == 2
    # One that serves nobody yet is not there.
    assert {dict(labels)["server"] for name, labels in values if "busy_w" in name} == {FIRST}
    short = {"class": "short"}
    assert pick(values, "queue_seconds_bucket", **short, le="0.001") == 1
    assert pick(values, "queue_seconds_bucket", **short, le="0.002") == 2
    assert pick(values, "queue_seconds_count", **short) == 3
    assert pick(values, "queue_seconds_sum", **short) == pytest.approx(30.00155)
    assert pick(values, "lateness_seconds_count", **short) == 1
    assert pick(values, "lateness_seconds_sum", **short) == pytest.approx(0.0003)
    # Where nothing is known of it there is no histogram that looks as if all were quick.
    assert not any(
        dict(labels).get("class") == "long" and "queue" in name for name, labels in values
    )


def test_before_anything_happened() -> None:
    assert scrape(collector(up=False)) == {("ipvsload_sidecar_up", frozenset()): 0}


@pytest.mark.parametrize("accept", ["", OPEN])
@pytest.mark.parametrize(
    "odd", ['"', "\\", "\n", "\\n", '\\"', "}", "a=b,c", "é", "\t", "\r", "\x00", "", " x ", "😀"]
)
def test_odd_labels_come_back_as_they_were(odd: str, accept: str) -> None:
    found = sample(server(odd, 1), scheduler=odd, key=odd)
    counter = RequestCounter()
    counter.request(odd, odd, 1.0, None)
    encode, _ = _encoder(accept)
    text = encode(collector(lambda: {odd: found}, counter, users={odd: 3})).decode()
    # The client's parsers split at "\r" and the like, Prometheus's does not;
    # so this looks at the lines itself.
    escaped = odd.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    lines = text.split("\n")
    assert f'ipvsload_users{{user_class="{escaped}"}} 3.0' in lines
    assert (
        f'ipvsload_active_connections{{node="{escaped}",server="{escaped}",service="{escaped}"}}'
        " 10.0"
    ) in lines
    assert (
        f'ipvsload_requests_total{{class="{escaped}",outcome="ok",server="{escaped}"}} 1.0' in lines
    )


def test_what_is_no_text_spoils_nothing() -> None:
    counter = RequestCounter()
    counter.request("\ud800", "b\udcff", 1.0, None)
    values = scrape(collector(lambda: {"\ud800": two()}, counter))
    assert pick(values, "requests_total", **{"class": "?"}, server="b?", outcome="ok") == 1


def test_labels_are_bounded() -> None:
    counter = RequestCounter()
    for number in range(10 * LABELS):
        counter.request(f"GET /{number}", None, 1.0, None)
    names = {dict(labels)["class"] for name, labels in scrape(collector(counter=counter))
             if name == "ipvsload_requests_total"}  # fmt: skip
    assert len(names) == LABELS + 1


@pytest.mark.parametrize(
    "accept", ["text/plain; version=x", f"{OPEN[:-5]}new", ";;,=", "*/*", "image/png", "\x00"]
)
def test_any_wish_for_a_format_is_met(accept: str) -> None:
    assert pick(scrape(collector(), accept), "sidecar_up") == 1


def test_a_large_table_leaves_room_for_the_load() -> None:
    table = sample(*(server(f"198.51.{n // 250}.{n % 250}:80", 1) for n in range(1000)))
    lines, pauses = 0, []

    def pause() -> None:
        pauses.append(lines)

    for metric in collector(lambda: {NODE: table}, pause=pause).collect():
        for _ in metric.samples:
            lines += 1
    assert lines == 8000 + 3
    assert max(b - a for a, b in zip([0, *pauses], [*pauses, lines], strict=True)) <= 110


def test_metrics_may_be_read_after_all_were_made() -> None:
    one = collector(lambda: {NODE: two(conns=100)})
    at_once = [list(metric.samples) for metric in one.collect()]
    later = [list(metric.samples) for metric in list(one.collect())]
    assert later == at_once


def test_an_answer_is_of_one_moment() -> None:
    samples, counter = {NODE: two(conns=1)}, RequestCounter()
    counter.request("ShortUser", FIRST, 1.0, None)

    def pause() -> None:
        samples[NODE] = two(conns=1000)
        counter.request("ShortUser", FIRST, 1.0, None)

    for number in range(100):
        samples[str(number)] = two()
    values = scrape(collector(lambda: samples, counter, pause=pause))
    first = {"node": NODE, "service": SERVICE, "server": FIRST}
    assert pick(values, "packets_total", **first, direction="in") == 5
    ok = pick(values, "requests_total", **{"class": "ShortUser"}, server=FIRST, outcome="ok")
    assert ok == pick(values, "request_duration_seconds_count", **{"class": "ShortUser"}) == 1


def test_the_documentation_has_all_metrics_with_their_labels() -> None:
    counter = RequestCounter()
    requests(counter)
    counter.request("ShortUser", FIRST, 9.0, None, queue_us=10, late_us=20)
    made: dict[str, set[str]] = {}
    for name, labels in scrape(
        collector(lambda: {NODE: two()}, counter, users={"ShortUser": 1}, occupancy=BUSY)
    ):
        family = re.sub("_(bucket|count|sum)$", "", name)
        made.setdefault(family, set()).update(dict(labels).keys() - {"le"})
    rows = re.findall(r"^\| `(ipvsload_\w+)` \| ([^|]*)\|", DOCUMENTATION.read_text(), re.M)
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in rows} == made


def inside(name: str) -> Any:
    """What a function of inside_web.py found, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.locust_plugin.inside_web", name],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_on_locusts_page() -> None:
    found = inside("plain")
    assert found["status"] == 200
    assert found["type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "ipvsload_active_connections{" in found["text"]
    assert found["open"].startswith("application/openmetrics-text; version=1.0.0")
    assert found["post"] == 405
    assert found["below a base path"] == [404, 200]


def test_behind_locusts_login() -> None:
    """With the lines that the documentation gives for Prometheus."""
    assert inside("login") == {
        "nobody": [302, "/login"],
        "wrong token": [302, "/login"],
        "token": 200,
        "logged in": 200,
        "token elsewhere": [302, "/login"],
    }
