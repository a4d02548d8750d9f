"""What Locust's own page shows of IPVS: a tab with the counts, and a link to the charts."""

import json
from typing import Any

from flask import Response, request
from locust.web import WebUI

from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.web.same_site import reading_refusal
from ipvsload.scenario.server_conditions import Conditions

_KEY = "ipvs"
# As many rows as Locust shows in its own tables.
_MOST_ROWS = 500
_COLUMNS = {
    "name": "Real server",
    "address": "Address",
    "weight": "Weight",
    "active": "ActiveConn",
    "inactive": "InActConn",
    "connections": "Connections in this test",
}

# Outside of React's root element, whose content React replaces.
_LINK = """<nav aria-label="ipvsload"
 style="font: 15px/1.5 system-ui, sans-serif; padding: 6px 24px; background: #16191d">
<a href="./ipvs" style="color: #fff">IPVS: the kernel's connections, live, and controls →</a></nav>
"""


def install(web_ui: WebUI, feed: LiveFeed) -> None:
    """Add the tab and the link."""
    arguments = web_ui.template_args
    structure = [{"key": key, "title": title} for key, title in _COLUMNS.items()]
    _append(arguments, "extended_tabs", {"title": "IPVS", "key": _KEY})
    _append(arguments, "extended_tables", {"key": _KEY, "structure": structure})

    @web_ui.app.after_request
    def extend(response: Response) -> Response:
        if response.status_code != 200:
            return response
        if request.endpoint == "locust.index":
            body = response.get_data(as_text=True)
            response.set_data(body.replace("<body>", f"<body>\n{_LINK}", 1))
        elif request.endpoint == "locust.request_stats" and response.is_json:
            # Locust caches this response for two seconds, with our rows in it.
            stats = json.loads(response.get_data())
            others = [s for s in stats.get("extended_stats", []) if s.get("key") != _KEY]
            # Other sites may read what Locust answers.
            foreign = reading_refusal(request.headers, login=web_ui.web_login)
            rows = [] if foreign else _rows(feed)
            stats["extended_stats"] = [*others, {"key": _KEY, "data": rows}]
            response.set_data(json.dumps(stats))
        return response


def _append(arguments: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    """Append to a list, which a locustfile may have put its own tabs into."""
    arguments[key] = [*(arguments.get(key) or []), value]


def _name(number: int, conditions: Conditions) -> str:
    suffers = f" ({', '.join(conditions)})" if conditions else ""
    return f"server {number}{suffers}"


def _rows(feed: LiveFeed) -> list[dict[str, Any]]:
    return [
        {"name": _name(row.number, row.conditions), **row._asdict()}
        for row in feed.rows()[:_MOST_ROWS]
    ]
