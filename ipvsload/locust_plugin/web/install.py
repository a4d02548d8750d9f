"""Puts what is ours into Locust's web page: a page, /metrics, and a check of its start form."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import jsonify, request
from flask_login import current_user
from locust.env import Environment

from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.ipvs.ipvsadm import listing
from ipvsload.locust_plugin.arguments import web_base_path
from ipvsload.locust_plugin.load_tests.locust_test import PageActions
from ipvsload.locust_plugin.load_tests.scenario_shape import ScenarioShape
from ipvsload.locust_plugin.metrics import prometheus
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.locust_plugin.web import routes
from ipvsload.locust_plugin.web.same_site import refusal
from ipvsload.scenario.url import read_url


def install(
    session: TestbedSession,
    users: Callable[[], Mapping[str, int]],
    controls: PageActions,
    take_form: Callable[[Mapping[str, Any], bool], None],
) -> None:
    """Add it all to Locust's web UI, which has not started yet.

    Args:
        session: what is shown; its environment has the web UI.
        users: how many users of each class run now.
        controls: carries out what people change.
        take_form: takes what a start form says for the next test, and whether a
            ScenarioShape plays that; raises IpvsloadError.
    """
    environment, now_us = session.environment, session.clock.now_us
    web_ui = environment.web_ui
    routes.install(
        web_ui,
        session.feed,
        controls,
        now_us,
        lambda: listing(
            {node: sample.services for node, sample in session.samples.items()},
            {row.address: ", ".join(row.conditions) for row in session.feed.rows()},
        ),
    )
    table_and_load = prometheus.TableAndLoad(
        session.counter,
        lambda: session.samples,
        lambda: session.up,
        users,
        now_us,
        lambda: session.occupancy_sample,
        lambda: session.feed.labels,
    )
    prometheus.install(web_ui, table_and_load)
    base = web_base_path(environment.parsed_options)

    @web_ui.app.before_request
    def check_form() -> Any:
        """Locust takes whatever its start form says; a test that cannot be is refused here."""
        if request.method != "POST" or request.path != f"{base}/swarm":
            return None
        if web_ui.web_login and not current_user.is_authenticated:
            return None  # Locust refuses it
        try:
            if reason := refusal(request.headers, login=web_ui.web_login):
                raise UsageError(reason)
            _check_host(environment, request.form.get("host", ""))
            take_form(request.form, isinstance(_shape(environment), ScenarioShape))
        except IpvsloadError as error:
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        return None


def _check_host(environment: Environment, host: str) -> None:
    known = environment.host or environment.parsed_options.host
    # A page that was loaded before the last test has the port of an older service.
    if host and (known is None or read_url(host).host != read_url(known).host):
        raise UsageError(
            f"host {host[:80]!r}: this command balances {known or 'its own lab'};"
            " for another balancer start locust with -H"
        )


def _shape(environment: Environment) -> Any:
    """The shape that the form's test is going to have."""
    if environment.web_ui.userclass_picker_is_active:
        name = request.form.get("shape_class", "Default")
        return environment.available_shape_classes.get(name)
    return environment.shape_class
