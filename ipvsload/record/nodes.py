"""The directors of a run, by the names that they have in its samples."""

import re
from collections.abc import Iterable

from ipvsload.record.format import Sample


def nodes(samples: Iterable[Sample]) -> list[str]:
    """The nodes of the samples; a request's `director` is a number in this list, from 1."""
    return sorted({sample.node for sample in samples}, key=_by_number)


def _by_number(name: str) -> list[tuple[int, str]]:
    """So that director-10 stands behind director-9."""
    return [(int(part or 0), word) for word, part in re.findall(r"(\D*)(\d*)", name)]
