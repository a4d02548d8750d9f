"""`/metrics` on Locust's port: the kernel's table and the load, for Prometheus.

Everything is read when Prometheus asks: a test that is not scraped pays nothing,
and all of an answer is from one moment. A table of a thousand servers is ten
thousand lines; they are made a few at a time, with pauses for the load that the
same process may carry.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import gevent
from flask import Response, request
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample as Line

from ipvsload.ipvs.table import RealServer
from ipvsload.locust_plugin.arguments import web_base_path
from ipvsload.locust_plugin.metrics.request_counter import Counts, RequestCounter
from ipvsload.locust_plugin.metrics.serving_servers import serving
from ipvsload.locust_plugin.metrics.time_buckets import BOUNDS, Times
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from ipvsload.scenario.failures import FAILURES

if TYPE_CHECKING:
    from locust.web import WebUI

# The buckets that end at 1, 2 and 5 of each decade: their index among the counter's
# bounds, and where they end, in seconds.
_EDGES = [
    (index, repr(round(bound / 1000, 7)))
    for index, bound in enumerate(BOUNDS)
    if index % 40 in (0, 12, 28)
]

# So many lines are made at once, in about a millisecond; then the load has so many
# seconds. (A sleep of 0 would not do: gevent looks for events only after fifty.)
_SLICE = 100
_PAUSE = 0.0005

# Name, type, help, and the field of RealServer for each direction, or for "" alone.
_FIGURES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("active_connections", "gauge",
     "Connections of a real server that IPVS counts as active (ActiveConn).", {"": "active"}),
    ("inactive_connections", "gauge",
     "Its other connections that IPVS remembers (InActConn).", {"": "inactive"}),
    ("weight", "gauge", "Its weight.", {"": "weight"}),
    ("connections", "counter", "Connections that IPVS gave to a real server.", {"": "conns"}),
    ("packets", "counter", "Packets between clients and a real server; in is towards the server.",
     {"in": "inpkts", "out": "outpkts"}),
    ("bytes", "counter", "Bytes between clients and a real server; in is towards the server.",
     {"in": "inbytes", "out": "outbytes"}),
)  # fmt: skip

# The same of ServerOccupancy; a time there is in microseconds.
_OCCUPANCY: tuple[tuple[str, str, str, str], ...] = (
    ("busy_workers", "gauge", "Workers of a real server that are busy.", "busy"),
    ("queue_length", "gauge", "Requests that wait for one of its workers.", "queued"),
    ("worker_busy_seconds", "counter", "Time that its workers were busy, added up.", "busy_us"),
    ("overflowed_requests", "counter", "Requests that found its queue full.", "overflowed"),
)

Labels = dict[str, str]
Servers = list[tuple[Labels, RealServer]]
Lines = Iterator[tuple[str, Labels, float]]


@dataclass(frozen=True)
class TableAndLoad(Collector):
    """Makes Prometheus's metrics of samples and requests.

    Args:
        counter: the requests.
        samples: the last sample of each node.
        occupancy: what real servers with a capacity said last of themselves.
        up: whether the sidecar runs.
        users: running users by class.
        now_us: the time on the samples' clock, in microseconds.
        labels: what the scenario calls a virtual service's run, by the service's key.
        pause: called now and then, so that others may run.
    """

    counter: RequestCounter
    samples: Callable[[], Mapping[str, Sample]]
    up: Callable[[], bool]
    users: Callable[[], Mapping[str, int]]
    now_us: Callable[[], int]
    occupancy: Callable[[], OccupancySample | None] = lambda: None
    labels: Callable[[], Mapping[str, str]] = dict
    pause: Callable[[], None] = lambda: gevent.sleep(_PAUSE)

    def collect(self) -> Iterator[Metric]:
        """Prometheus's hook: yield all metrics, whose lines are made as they are read."""
        # Copied first, because the load goes on in the pauses.
        samples, totals, users = dict(self.samples()), self.counter.totals(), dict(self.users())
        up, now_us = self.up(), self.now_us()
        told = serving(self.occupancy(), samples)
        yield from self._table(samples)
        for name, kind, text, field in _OCCUPANCY:
            yield self._metric(name, kind, text, _occupancy(told, kind, field))
        yield self._metric(
            "sample_age_seconds", "gauge", "Time since the last reading of a node's table.",
            (("", {"node": _text(node)}, max(0, now_us - sample.t_us) / 1e6)
             for node, sample in samples.items()),
        )  # fmt: skip
        yield self._metric(
            "sidecar_up", "gauge", "1 while the program that reads the table is there, else 0.",
            iter([("", {}, int(up))]),
        )  # fmt: skip
        yield self._metric(
            "users", "gauge", "Locust's users that run now.",
            (("", {"user_class": _text(name)}, count) for name, count in users.items()),
        )  # fmt: skip
        yield self._metric(
            "requests", "counter", "Finished requests by the real server that answered.",
            _requests(totals),
        )  # fmt: skip
        yield self._metric(
            "failures", "counter", "Failed requests by kind, such as refused, reset, timeout.",
            _failures(totals),
        )  # fmt: skip
        yield self._metric(
            "retries", "counter", "Requests that were sent again on a new connection.",
            (("_total", {"class": _text(label)}, counts["retried"])
             for label, counts in totals.items()),
        )  # fmt: skip
        yield self._metric(
            "request_duration_seconds", "histogram", "How long requests took.",
            _times({label: counts["duration"] for label, counts in totals.items()}),
        )  # fmt: skip
        for name, text, times in (
            ("queue_seconds", "How long answered requests waited at their server for a worker.",
             {label: counts["queue"] for label, counts in totals.items()}),
            ("lateness_seconds", "How late requests of an open workload were sent.",
             {label: counts["lateness"] for label, counts in totals.items()}),
        ):  # fmt: skip
            # Only of those classes of which it is known.
            known = {label: found for label, found in times.items() if any(found["buckets"])}
            yield self._metric(name, "histogram", text, _times(known))

    def _table(self, samples: Mapping[str, Sample]) -> Iterator[Metric]:
        servers = [
            ({"node": _text(node), "service": _text(service.key), "server": _text(server.address)},
             server)
            for node, sample in samples.items()
            for service in sample.services
            for server in service.servers
        ]  # fmt: skip
        for name, kind, text, fields in _FIGURES:
            yield self._metric(name, kind, text, _figures(servers, kind, fields))
        called = dict(self.labels())
        yield self._metric(
            "scheduler", "info", "The scheduler of a virtual service.",
            (("_info", {"node": _text(node), "service": _text(service.key),
                        "scheduler": _text(service.scheduler),
                        "label": _text(called.get(service.key, ""))}, 1)
             for node, sample in samples.items()
             for service in sample.services),
        )  # fmt: skip

    def _metric(self, name: str, kind: str, text: str, lines: Lines) -> Metric:
        metric = Metric(f"ipvsload_{name}", text, kind)
        # Typed as a list; the encoders go through it once, so an iterator will do.
        metric.samples = self._slices(metric.name, lines)  # type: ignore[assignment]
        return metric

    def _slices(self, name: str, lines: Lines) -> Iterator[Line]:
        for number, (suffix, labels, value) in enumerate(lines, 1):
            yield Line(name + suffix, labels, value)
            if number % _SLICE == 0:
                self.pause()


def install(web_ui: "WebUI", collector: TableAndLoad) -> None:
    """Add GET /metrics to Locust's pages, which have not started yet, behind the same login."""

    @web_ui.auth_required_if_enabled
    def metrics() -> Response:
        encode, content_type = _encoder(request.headers.get("Accept", ""))
        return Response(encode(collector), content_type=content_type)

    base = web_base_path(web_ui.environment.parsed_options)
    web_ui.app.add_url_rule(f"{base}/metrics", "ipvsload_metrics", metrics)


def _figures(servers: Servers, kind: str, fields: Mapping[str, str]) -> Lines:
    suffix = "_total" if kind == "counter" else ""
    for labels, server in servers:
        for direction, field in fields.items():
            told = {**labels, "direction": direction} if direction else labels
            yield suffix, told, getattr(server, field)


def _requests(totals: Mapping[str, Counts]) -> Lines:
    # Both outcomes from the start, so that the first failure is an increase.
    for label, counts in totals.items():
        for server, pair in counts["servers"].items():
            for outcome, count in zip(("ok", "failed"), pair, strict=True):
                labels = {"class": _text(label), "server": _text(server), "outcome": outcome}
                yield "_total", labels, count


def _failures(totals: Mapping[str, Counts]) -> Lines:
    for label, counts in totals.items():
        for kind, count in (dict.fromkeys(FAILURES, 0) | counts["failures"]).items():
            yield "_total", {"class": _text(label), "kind": _text(kind)}, count


def _occupancy(told: list[ServerOccupancy], kind: str, field: str) -> Lines:
    for server in told:
        value = getattr(server, field)
        value = value / 1e6 if field == "busy_us" else value
        yield ("_total" if kind == "counter" else ""), {"server": _text(server.address)}, value


def _times(totals: Mapping[str, Times]) -> Lines:
    for label, counts in totals.items():
        name = {"class": _text(label)}
        below = list(accumulate(counts["buckets"]))
        for index, seconds in _EDGES:
            yield "_bucket", {**name, "le": seconds}, below[index]
        yield "_bucket", {**name, "le": "+Inf"}, below[-1]
        yield "_count", name, below[-1]
        yield "_sum", name, counts["sum_us"] / 1e6


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Return the format that was asked for, or the plain one."""
    try:
        return choose_encoder(accept)
    except TypeError:  # its version is no number
        return choose_encoder("")


def _text(value: Any) -> str:
    """Make a label's value that UTF-8 can carry."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
