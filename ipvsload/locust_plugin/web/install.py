"""Locust's web page, with what is ours in it: a page, /metrics, and a closer look at its form."""

from typing import TYPE_CHECKING, Any

from flask import jsonify, request
from flask_login import current_user

from ipvsload.errors import UsageError
from ipvsload.ipvs.ipvsadm import listing
from ipvsload.locust_plugin.metrics import prometheus as metrics
from ipvsload.locust_plugin.scenario_shape import ScenarioShape
from ipvsload.locust_plugin.web import routes as page
from ipvsload.locust_plugin.web.controls_over_test import Desk
from ipvsload.locust_plugin.web.locust_tab import base_path
from ipvsload.locust_plugin.web.same_site import refusal
from ipvsload.scenario.url import read_url

if TYPE_CHECKING:
    from locust.env import Environment

    from ipvsload.locust_plugin.plugin import Plugin


def install(plugin: "Plugin", environment: "Environment") -> None:
    """Add it all to the environment's web UI, which has not started yet."""
    web_ui, watch = environment.web_ui, plugin.watch
    desk = Desk(plugin)
    page.install(
        web_ui,
        watch.feed,
        desk,
        watch.clock.now_us,
        lambda: listing({node: sample.services for node, sample in watch.samples.items()}),
    )
    metrics.install(
        web_ui,
        watch.meter,
        lambda: watch.samples,
        lambda: watch.up,
        watch.users,
        watch.clock.now_us,
    )
    base = base_path(web_ui)

    @web_ui.app.before_request  # type: ignore[untyped-decorator]
    def check_form() -> Any:
        """Locust takes whatever its start form says; a test that cannot be is refused here."""
        if request.method != "POST" or request.path != f"{base}/swarm":
            return None
        if web_ui.web_login and not current_user.is_authenticated:
            return None  # Locust refuses it
        try:
            if reason := refusal(request.headers, login=web_ui.web_login):
                raise UsageError(reason)
            _check(plugin, environment, request.form)
        except UsageError as error:
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        return None


def _check(plugin: "Plugin", environment: "Environment", form: Any) -> None:
    known = environment.host or environment.parsed_options.host
    host = form.get("host", "")
    # A page that was loaded before the last test has the port of an older service.
    if host and (known is None or read_url(host)[0] != read_url(known)[0]):
        raise UsageError(
            f"host {host[:80]!r}: this command balances {known or 'its own lab'};"
            " for another balancer start locust with -H"
        )
    if environment.web_ui.userclass_picker_is_active:
        shapes = environment.available_shape_classes
        shape = shapes.get(form.get("shape_class", "Default"))
    else:
        shape = environment.shape_class
    plugin.renew(form, shaped=isinstance(shape, ScenarioShape))
