"""The kernel's table and busy servers over OpenTelemetry, where Locust was started with --otel.

Locust then has a meter provider with the exporters that the OTEL_ environment
variables say, and its own histogram of response times in it. The table goes the
same way, so that both are found in one place. OpenTelemetry is no dependency of
ours: it is imported only where Locust has imported it already.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ipvsload.locust_plugin.metrics.serving_servers import serving
from ipvsload.record.format import OccupancySample, Sample

if TYPE_CHECKING:
    from locust.env import Environment

# The direction is in the instrument's name and not an attribute, because the SDK keeps
# no more than 2,000 sets of attributes apart in one instrument.
# Each has its kind, name, unit, description and field of RealServer.
_INSTRUMENTS = (
    ("up_down_counter", "ipvs.connections.active", "{connection}",
     "Connections of a real server that IPVS counts as active", "active"),
    ("up_down_counter", "ipvs.connections.inactive", "{connection}",
     "Its other connections that IPVS remembers", "inactive"),
    ("counter", "ipvs.connections.scheduled", "{connection}",
     "Connections that IPVS gave to a real server", "conns"),
    ("gauge", "ipvs.weight", "1",
     "Weight of a real server", "weight"),
    ("counter", "ipvs.packets.in", "{packet}",
     "Packets towards a real server", "inpkts"),
    ("counter", "ipvs.packets.out", "{packet}",
     "Packets from a real server", "outpkts"),
    ("counter", "ipvs.bytes.in", "By",
     "Bytes towards a real server", "inbytes"),
    ("counter", "ipvs.bytes.out", "By",
     "Bytes from a real server", "outbytes"),
)  # fmt: skip
# The same of ServerOccupancy.
_OF_SERVERS = (
    ("server.workers.busy", "{worker}", "Workers of a real server that are busy", "busy"),
    ("server.queue.length", "{request}", "Requests that wait for one of its workers", "queued"),
)


def install(
    environment: "Environment",
    samples: Callable[[], Mapping[str, Sample]],
    occupancy: Callable[[], OccupancySample | None],
) -> None:
    """Have Locust's meter provider observe the samples; do nothing without --otel.

    Args:
        environment: Locust's, after its runner was made.
        samples: returns the last sample of each node.
        occupancy: returns what real servers with a capacity said last of themselves.
    """
    if not getattr(environment.parsed_options, "otel", False):
        return
    try:
        from opentelemetry import metrics
    except ImportError:
        return  # Locust has said so

    def observe(field: str, _options: Any) -> Iterator[Any]:
        for node, sample in samples().items():
            for service in sample.services:
                for server in service.servers:
                    attributes = {"node": node, "service": service.key, "server": server.address}
                    yield metrics.Observation(getattr(server, field), attributes)

    def observe_servers(field: str, _options: Any) -> Iterator[Any]:
        for server in serving(occupancy(), samples()):
            yield metrics.Observation(getattr(server, field), {"server": server.address})

    meter = metrics.get_meter("ipvsload")
    for kind, name, unit, description, field in _INSTRUMENTS:
        create = getattr(meter, f"create_observable_{kind}")
        create(name, callbacks=[partial(observe, field)], unit=unit, description=description)

    for name, unit, description, field in _OF_SERVERS:
        callbacks = [partial(observe_servers, field)]
        meter.create_observable_up_down_counter(
            name, callbacks=callbacks, unit=unit, description=description
        )

    def flush(**_: Any) -> None:
        # Exporters read once more when the process ends, but by then the table is gone.
        provider = metrics.get_meter_provider()
        if hasattr(provider, "force_flush"):
            provider.force_flush()

    environment.events.quitting.add_listener(flush)
