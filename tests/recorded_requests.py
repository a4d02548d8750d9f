"""What a run directory has of requests, also while the run goes on."""

from pathlib import Path

from ipvsload.record.format import REQUESTS, Request
from ipvsload.record.request_file import request_pieces


def recorded_requests(directory: Path) -> list[Request]:
    """All of them, in the order in which they were written; none before there is a file."""
    if not (directory / REQUESTS).exists():
        return []
    return [one for some in request_pieces(directory, []) for one in some.rows()]
