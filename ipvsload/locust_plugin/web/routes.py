"""The page's routes: the page, its assets, frames of what it shows, and its controls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, send_from_directory
from locust.web import WebUI

from ipvsload import __version__
from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.locust_plugin.arguments import web_base_path
from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.load_tests.locust_test import PageActions
from ipvsload.locust_plugin.web import locust_tab, own_site_only
from ipvsload.locust_plugin.web.same_site import refusal
from ipvsload.report.html.template_environment import PALETTE, template_environment
from ipvsload.scenario.actions import parse_control
from ipvsload.scenario.actions.burst import MAX_BURST
from ipvsload.scenario.names import MAX_SERVERS, MAX_WEIGHT

_ASSETS = Path(__file__).parent / "assets"
_MOST_BYTES = 16_384
# Everything comes from here; no other page may have it in a frame (where people would
# click on what they do not see); the names of servers and scenarios never run as code.
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def install(
    web_ui: WebUI,
    feed: LiveFeed,
    controls: PageActions,
    now_us: Callable[[], int],
    table: Callable[[], str],
) -> None:
    """Add the page to Locust's, behind the same login.

    Args:
        web_ui: Locust's, before its first request.
        feed: what is shown.
        controls: carries out what people change.
        now_us: the time on the feed's clock, in µs.
        table: the kernel's table as text, see ipvs/ipvsadm.py.
    """
    base = web_base_path(web_ui.environment.parsed_options)
    pages = Blueprint("ipvsload", __name__, url_prefix=f"{base}/ipvs")
    html = _render()

    def route(rule: str, view: Callable[..., Any], **options: Any) -> None:
        guarded = web_ui.auth_required_if_enabled(view)
        pages.add_url_rule(rule, view.__name__, guarded, **options)

    def page() -> Response:
        return Response(html, content_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)

    def asset(name: str) -> Response:
        folder = PALETTE.parent if name == PALETTE.name else _ASSETS
        found: Response = send_from_directory(folder, name)
        found.headers["Cache-Control"] = "no-cache"
        return found

    def frame() -> Response:
        epoch = request.args.get("epoch", -1, int)
        after = request.args.get("after", -1, int)
        aside = json.dumps({"offers": controls.offers(), "mix": controls.mix()})
        return _fresh(f"{aside[:-1]},{feed.text(now_us(), epoch, after)[1:]}", "application/json")

    def text() -> Response:
        return _fresh(table(), "text/plain; charset=utf-8")

    def control() -> Response:
        status, answer = _control()
        return Response(json.dumps(answer), status, content_type="application/json")

    def _control() -> tuple[int, dict[str, str]]:
        reason = refusal(request.headers, login=web_ui.web_login)
        if reason:
            return 403, {"error": reason}
        if request.mimetype != "application/json":
            return 415, {"error": "expected Content-Type: application/json"}
        if request.content_length is None:
            return 411, {"error": "expected a Content-Length"}
        if request.content_length > _MOST_BYTES:
            return 413, {"error": f"expected no more than {_MOST_BYTES} bytes"}
        try:
            return 200, {"done": controls.carry_out(parse_control(_decoded(request.get_data())))}
        except IpvsloadError as error:
            return 400 if isinstance(error, UsageError) else 409, {"error": str(error)}

    def _fresh(body: str, content_type: str) -> Response:
        return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})

    route("", page)
    route("/assets/<path:name>", asset)
    route("/frame", frame)
    route("/table", text)
    route("/control", control, methods=["POST"])
    web_ui.app.register_blueprint(pages)
    own_site_only.install(web_ui, base)
    locust_tab.install(web_ui, feed)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON") from None


def _render() -> str:
    environment = template_environment("ipvsload.locust_plugin.web")
    return environment.get_template("live_page.html.j2").render(
        version=__version__,
        schedulers=SCHEDULERS,
        max_servers=MAX_SERVERS,
        max_weight=MAX_WEIGHT,
        max_burst=MAX_BURST,
    )
