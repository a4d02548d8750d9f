"""The dashboard as a file; that its panels show something is for a real Prometheus to say."""

import json
import re
from pathlib import Path
from typing import Any

from ipvsload.locust_plugin.metrics.prometheus import TableAndLoad
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter

DASHBOARD: dict[str, Any] = json.loads(Path("deploy/grafana/ipvsload.json").read_text())
PANELS = DASHBOARD["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_panels_stand_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for key in ("id", "title"):
        assert len({panel[key] for panel in PANELS}) == len(PANELS)


def test_every_panel_asks_the_chosen_data_source() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    variables = DASHBOARD["templating"]["list"]
    askers = [*PANELS, *(target for panel in PANELS for target in panel["targets"])]
    askers += [variable for variable in variables if variable["type"] == "query"]
    assert all(asker["datasource"] == chosen for asker in askers)
    assert [v["name"] for v in variables if v["type"] == "datasource"] == ["datasource"]


def test_every_variable_is_there_and_used() -> None:
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]} - {"datasource"}
    used = set(re.findall(r"\$(\w+)", " ".join(EXPRESSIONS))) - {"__rate_interval"}
    assert used == names == {"node", "service", "class"}


def test_every_metric_is_shown() -> None:
    collector = TableAndLoad(RequestCounter(), dict, lambda: True, dict, lambda: 0)
    shown = set(re.findall(r"ipvsload_\w+", " ".join(EXPRESSIONS)))
    suffix = {"counter": "_total", "info": "_info", "histogram": "_bucket"}
    made = {family.name + suffix.get(family.type, "") for family in collector.collect()}
    # These are for whoever looks for them; the mean of busy workers is shown.
    hidden = ("bytes_total", "packets_total", "retries_total", "overflowed_requests_total")
    assert made - shown == {f"ipvsload_{name}" for name in (*hidden, "busy_workers")}
    assert shown <= made
