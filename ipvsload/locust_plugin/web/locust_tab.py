"""What is seen of us on Locust's own page: a tab with the counts, and a way to the charts."""

import json
from typing import TYPE_CHECKING, Any

from ipvsload.locust_plugin.live import LiveFeed

if TYPE_CHECKING:
    from flask import Response
    from locust.web import WebUI

_KEY = "ipvs"
# As many as Locust shows of its own.
_MOST_ROWS = 500
_COLUMNS = {
    "name": "Real server",
    "address": "Address",
    "weight": "Weight",
    "active": "ActiveConn",
    "inactive": "InActConn",
    "connections": "Connections in this test",
}

# Outside of React's root, which replaces what is in it.
_LINK = """<nav aria-label="ipvsload"
 style="font: 15px/1.5 system-ui, sans-serif; padding: 6px 24px; background: #16191d">
<a href="./ipvs" style="color: #fff">IPVS: the kernel's connections, live, and controls →</a></nav>
"""


def base_path(web_ui: "WebUI") -> str:
    """--web-base-path, as it stands before a path; "" without."""
    options = web_ui.environment.parsed_options
    return (getattr(options, "web_base_path", None) or "").rstrip("/")


def install(web_ui: "WebUI", feed: LiveFeed) -> None:
    """Add the tab and the link."""
    from flask import request

    arguments = web_ui.template_args
    structure = [{"key": key, "title": title} for key, title in _COLUMNS.items()]
    _append(arguments, "extended_tabs", {"title": "IPVS", "key": _KEY})
    _append(arguments, "extended_tables", {"key": _KEY, "structure": structure})

    @web_ui.app.after_request  # type: ignore[untyped-decorator]
    def extend(response: "Response") -> "Response":
        if response.status_code != 200:
            return response
        if request.endpoint == "locust.index":
            body = response.get_data(as_text=True)
            response.set_data(body.replace("<body>", f"<body>\n{_LINK}", 1))
        elif request.endpoint == "locust.request_stats" and response.is_json:
            # The same response for two seconds: Locust keeps it.
            stats = json.loads(response.get_data())
            others = [s for s in stats.get("extended_stats", []) if s.get("key") != _KEY]
            stats["extended_stats"] = [*others, {"key": _KEY, "data": _rows(feed)}]
            response.set_data(json.dumps(stats))
        return response


def _append(arguments: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    """Somebody's locustfile may have tabs of its own."""
    arguments[key] = [*(arguments.get(key) or []), value]


def _rows(feed: LiveFeed) -> list[dict[str, Any]]:
    return [{"name": f"server {row.number}", **row._asdict()} for row in feed.rows()[:_MOST_ROWS]]
