"""Of the real servers that say how busy they are, those that serve somebody.

A lab has more of them than its service: they may join later, and have nothing to do.
"""

from collections.abc import Mapping

from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy


def serving(told: OccupancySample | None, samples: Mapping[str, Sample]) -> list[ServerOccupancy]:
    """Those that are in the table that some node's last sample shows."""
    known = {
        server.address
        for sample in samples.values()
        for service in sample.services
        for server in service.servers
    }
    return [server for server in told.servers if server.address in known] if told else []
