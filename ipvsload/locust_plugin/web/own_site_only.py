"""Keeps what our routes answer from the pages of other sites.

Locust answers every origin (flask-cors, web.py), so any page that somebody opens could
read the names and addresses of real servers through their browser.
"""

import json

from flask import Response, request
from locust.web import WebUI

from ipvsload.locust_plugin.web.same_site import reading_refusal


def install(web_ui: WebUI, base: str) -> None:
    """Guard our routes below `base`, Locust's --web-base-path."""
    ours, metrics = f"{base}/ipvs", f"{base}/metrics"
    data = (f"{ours}/frame", f"{ours}/table")

    @web_ui.app.before_request
    def refuse_other_sites() -> Response | None:
        if request.path != metrics and request.path not in data:
            return None
        # Prometheus may know this machine by any name.
        reason = reading_refusal(
            request.headers, login=web_ui.web_login, any_name=request.path == metrics
        )
        if not reason:
            return None
        return Response(json.dumps({"error": reason}), 403, content_type="application/json")

    @web_ui.app.after_request
    def keep_to_our_origin(response: Response) -> Response:
        if request.path in (ours, metrics) or request.path.startswith(f"{ours}/"):
            # flask-cors leaves a response alone that has this header.
            response.headers["Access-Control-Allow-Origin"] = request.host_url.rstrip("/")
            response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
            response.headers["X-Content-Type-Options"] = "nosniff"
        return response
