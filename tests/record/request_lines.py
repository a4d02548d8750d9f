"""Requests as lines: what versions before the files of columns wrote."""

import json
from pathlib import Path

from ipvsload.record.format import REQUEST_LINES, REQUESTS, Request
from tests.recorded_requests import recorded_requests

HEADER = '{"ipvsload":"requests","version":1}\n'


def request_line(request: Request) -> str:
    """With as few columns as it needs: earlier versions had no more."""
    columns = (
        18 if request[15:] != (None, None, 0) else 15 if request[12:15] != (None, 0, 0) else 12
    )
    return json.dumps(request[:columns], separators=(",", ":")) + "\n"


def as_lines(directory: Path) -> Path:
    """A run directory's requests in the form of earlier versions; returns the directory."""
    lines = [request_line(one) for one in recorded_requests(directory)]
    (directory / REQUESTS).unlink()
    (directory / REQUEST_LINES).write_text(HEADER + "".join(lines))
    return directory
