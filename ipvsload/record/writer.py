"""Writing a run directory.

Records are kept for half a second at most and are written as whole lines and blocks;
requests and samples are written before the events that follow them. So the
files of a killed run agree with each other up to its last moment. This needs
neither a thread nor a clock: the times of the records say when to write, and
there are samples ten times a second.
"""

from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from ipvsload import __version__
from ipvsload.errors import InvalidRunError, UsageError
from ipvsload.record import codec
from ipvsload.record.column_blocks import BlockEncoder
from ipvsload.record.connection_table import CONNECTION_LAYOUT
from ipvsload.record.empty_directory import make_empty
from ipvsload.record.events import Event
from ipvsload.record.format import (
    CONNECTIONS,
    EVENTS,
    OCCUPANCY,
    PACKETS,
    REQUESTS,
    SAMPLES,
    SCENARIO,
    VERSION,
    ListedConnection,
    OccupancySample,
    Request,
    Sample,
)
from ipvsload.record.recorded_machine import RecordedMachine
from ipvsload.record.request_table import REQUEST_LAYOUT
from ipvsload.record.witness import Witness

FLUSH_US = 500_000
_LATER = (OCCUPANCY, CONNECTIONS)
"""They begin with the first server that tells of itself, and the first connection that is told."""


class RunWriter:
    """Appends the records of one run directory.

    Raises UsageError if `directory` is a file, is not empty, or cannot be made
    or written. If writing fails later, it raises InvalidRunError once and drops
    everything after that, so that the run can end in order and what was recorded
    stays readable.
    """

    def __init__(
        self, directory: Path, *, scenario_text: str, scenario: str, testbed: str,
        origin_unix_us: int, machine: RecordedMachine | None = None,
    ) -> None:  # fmt: skip
        """`scenario_text` is the file as it is run, `scenario` its name.

        `origin_unix_us` is the calendar time, in microseconds since 1970, of
        the instant that records call zero. `machine` is what makes the load, if anything does.
        """
        self.directory = directory
        self.failed = False
        self._files: dict[str, FileIO] = {}
        self._requests = BlockEncoder(REQUEST_LAYOUT)
        self._connections = BlockEncoder(CONNECTION_LAYOUT)
        self._blocks: dict[str, BlockEncoder[Any]] = {
            REQUESTS: self._requests, CONNECTIONS: self._connections
        }  # fmt: skip
        self._lines: dict[str, list[str]] = {SAMPLES: [], OCCUPANCY: [], EVENTS: []}
        self._headers = {
            name: codec.encode_header(
                codec.Header(
                    name.removesuffix(".ndjson"),
                    VERSION, origin_unix_us, __version__, scenario, testbed, machine,
                )
            ).encode()
            for name in self._lines
        }  # fmt: skip
        self._headers[REQUESTS] = REQUEST_LAYOUT.header()
        self._headers[CONNECTIONS] = CONNECTION_LAYOUT.header()
        self._flushed_us = 0
        make_empty(directory)
        try:
            self._begin(SCENARIO, scenario_text.encode())
            for name, header in self._headers.items():
                if name not in _LATER:
                    self._begin(name, header)
        except OSError as error:
            self._close()
            why = f"cannot write: {error.strerror}"
            if isinstance(error, FileExistsError):
                why = "another run is being recorded here: name another directory"
            raise UsageError(f"{directory}: {why}") from None

    def request(self, request: Request) -> None:
        """Append one finished request."""
        self.requests((request,))

    def requests(self, requests: Sequence[Request]) -> None:
        """Append finished requests, in the order in which they ended."""
        if requests:
            self._requests.add(requests)
            self._tick(requests[-1].planned_us + requests[-1].latency_us)

    def connections(self, rows: Sequence[ListedConnection]) -> None:
        """Append what the director's list of connections told, in that order."""
        if rows:
            self._connections.add(rows)
            self._tick(rows[-1].t_us)

    def sample(self, sample: Sample) -> None:
        """Append one reading of the kernel's table."""
        self._lines[SAMPLES].append(codec.encode_sample(sample))
        self._tick(sample.t_us)

    def occupancy(self, sample: OccupancySample) -> None:
        """Append what the servers say of themselves."""
        self._lines[OCCUPANCY].append(codec.encode_occupancy(sample))
        self._tick(sample.t_us)

    def event(self, event: Event) -> None:
        """Append one event; it and all before it are in the files on return."""
        self._lines[EVENTS].append(codec.encode_event(event))
        self.flush()

    def packets(self, run: int, witness: Witness) -> int:
        """Write what packets said of a run; how many bytes. Times are the recording's.

        Raises InvalidRunError as `flush` does.
        """
        from ipvsload.record.packet_file import write_packets  # numpy: only where it is used

        if self.failed:
            return 0
        try:
            return write_packets(self.directory, run, witness)
        except OSError as error:
            raise self._failure(PACKETS, error) from None

    def flush(self) -> None:
        """Write all that is kept; raises InvalidRunError the first time that fails."""
        for name, encoder in self._blocks.items():
            self._append(name, encoder.take())
        for name, lines in self._lines.items():
            text = "".join(lines)
            lines.clear()
            self._append(name, text.encode())

    def _append(self, name: str, content: bytes) -> None:
        if not content or self.failed:
            return
        try:
            if name not in self._files:
                self._begin(name, self._headers[name])
            self._write(name, content)
        except OSError as error:
            raise self._failure(name, error) from None

    def close(self) -> None:
        """Flush and close; calling it again does nothing."""
        try:
            if self._files:
                self.flush()
        finally:
            self._close()

    def _failure(self, name: str, error: OSError) -> InvalidRunError:
        """Drop everything from now on."""
        self.failed = True
        return InvalidRunError(
            f"{self.directory / name}: cannot record any further: {error.strerror}; "
            f"what was recorded until now can be read: ipvsload report {self.directory}"
        )

    def _tick(self, now_us: int) -> None:
        if now_us - self._flushed_us >= FLUSH_US:
            self._flushed_us = now_us
            self.flush()

    def _begin(self, name: str, content: bytes) -> None:
        self._files[name] = FileIO(self.directory / name, "x")
        self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        # A write to a file that is nearly full may take a part without an error.
        rest = memoryview(content)
        while rest:
            rest = rest[self._files[name].write(rest) :]

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
