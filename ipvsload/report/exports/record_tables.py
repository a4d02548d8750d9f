"""Requests and samples as tables, straight from their files.

Times count from the beginning of their run, in whole microseconds as they are recorded, so that
runs can be laid over each other.
"""

from collections.abc import Iterator
from typing import Any

from ipvsload.record import codec
from ipvsload.record.format import OCCUPANCY, SAMPLES
from ipvsload.record.reader import RecordedRun, Recording, listed_servers
from ipvsload.record.record_files import records_of
from ipvsload.record.request_file import request_pieces
from ipvsload.record.request_table import REQUEST_LAYOUT
from ipvsload.report.exports.export_table import CellType, ExportTable

_RUN: dict[str, CellType] = {"run": "int", "column": "text", "repeat": "int"}


class RecordTables:
    """The tables of one recording, of which nothing but the events was read.

    `notes` says, when the rows are through, what is missing in the files.
    """

    def __init__(self, recording: Recording) -> None:
        self.notes: list[str] = []
        self._directory = recording.directory
        self._runs = {run.number: run for run in recording.runs}

    def all(self) -> Iterator[ExportTable]:
        """Each table; that of the servers' occupancy only where they told it."""
        yield self.requests()
        yield self.samples()
        if (self._directory / OCCUPANCY).exists():
            yield self.occupancy()

    def requests(self) -> ExportTable:
        """A row a request. Latency counts from the planned start, which is before `sent_us`."""
        return ExportTable(
            "requests",
            _RUN
            | {
                "class": "text",
                "planned_us": "int",
                "sent_us": "int",
                "end_us": "int",
                "latency_us": "int",
                "failed": "bool",
                "status": "int",
                "error": "text",
                "server": "text",
                "director": "int",
                "client": "text",
                "client_port": "int",
                "reused_connection": "bool",
                "bytes": "int",
                "work_us": "int",
                "queue_us": "int",
                "untaken": "text",
                "idle_us": "int",
                "retried": "int",
            },
            self._requests(),
        )

    def samples(self) -> ExportTable:
        """A row a real server in each reading of the kernel's table.

        `connections` is the kernel's own counter, which need not have begun at 0.
        """
        return ExportTable(
            "samples",
            _RUN
            | {
                "time_us": "int",
                "node": "text",
                "service": "text",
                "scheduler": "text",
                "server": "text",
                "weight": "int",
                "active": "int",
                "inactive": "int",
                "persistent": "int",
                "connections": "int",
            },
            self._samples(),
        )

    def occupancy(self) -> ExportTable:
        """A row a real server each time that it said how busy it is."""
        return ExportTable(
            "occupancy",
            _RUN
            | {
                "time_us": "int",
                "server": "text",
                "busy_workers": "int",
                "queued_requests": "int",
                "requests": "int",
                "overflowed": "int",
                "busy_us": "int",
            },
            self._occupancy(),
        )

    def run(self, number: int) -> RecordedRun:
        """The run of this number; one without a name where no event tells of it."""
        if number not in self._runs:
            self._runs[number] = RecordedRun(number)
        return self._runs[number]

    def _requests(self) -> Iterator[tuple[Any, ...]]:
        fillers = listed_servers(self._directory, self._runs.values())
        for some in request_pieces(self._directory, self.notes):
            run = self.run(some.run)
            filler = fillers.get(some.run)
            rows = (
                REQUEST_LAYOUT.rows(some.run, filler.fill(some.columns), filler.texts)
                if filler
                else some.rows()
            )
            for r in rows:
                planned = r.planned_us - run.start_us
                yield (
                    *(r.run, run.label, run.repeat, r.traffic),
                    *(planned, r.start_us - run.start_us, planned + r.latency_us, r.latency_us),
                    *(r.failed, r.status, r.error, r.server, r.director),
                    *(r.client, r.port, r.reused, r.bytes, r.work_us, r.queue_us),
                    *(r.untaken, r.idle_us, r.retried),
                )

    def _samples(self) -> Iterator[tuple[Any, ...]]:
        for some in records_of(self._directory / SAMPLES, codec.decode_samples, self.notes):
            for sample in some:
                run = self.run(sample.run)
                begin = (sample.run, run.label, run.repeat, sample.t_us - run.start_us)
                for service in sample.services:
                    for one in service.servers:
                        yield (
                            *(*begin, sample.node, service.key, service.scheduler),
                            *(one.address, one.weight, one.active, one.inactive),
                            *(one.persistent, one.conns),
                        )

    def _occupancy(self) -> Iterator[tuple[Any, ...]]:
        for some in records_of(self._directory / OCCUPANCY, codec.decode_occupancy, self.notes):
            for sample in some:
                run = self.run(sample.run)
                for server in sample.servers:
                    yield (sample.run, run.label, run.repeat, sample.t_us - run.start_us, *server)
