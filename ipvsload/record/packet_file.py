"""A run's witness on disk: packets/RUN.npy, and packets/RUN.json with its tables of addresses.

The packets are one array in numpy's own format, which other programs read too. The
JSON is written last: where it is, the array is whole.
"""

import json
from pathlib import Path

import numpy as np

from ipvsload.record.format import PACKETS, FormatError
from ipvsload.record.packet_table import PacketTable
from ipvsload.record.witness import Witness

_VERSION = 1


def write_packets(directory: Path, run: int, witness: Witness) -> int:
    """Write a run's witness below the run directory; how many bytes it is. Raises OSError."""
    packets = witness.packets
    table = packets if isinstance(packets, PacketTable) else PacketTable.of(packets)
    array, head = _files(directory, run)
    array.parent.mkdir(exist_ok=True)
    with array.open("xb") as file:
        np.save(file, table.rows, allow_pickle=False)
    told = {
        "ipvsload": "packets",
        "version": _VERSION,
        "packets": len(table),
        "dropped": witness.dropped,
        "clients": table.clients,
        "servers": table.servers,
    }
    with head.open("x") as file:
        file.write(json.dumps(told) + "\n")
    return array.stat().st_size + head.stat().st_size


def read_packets(directory: Path, run: int) -> Witness | None:
    """What `write_packets` wrote; None where it wrote nothing, or not to the end.

    Rows are read from the file when they are asked for. Raises FormatError where
    the files are not what was written.
    """
    array, head = _files(directory, run)
    try:
        told = json.loads(head.read_text())
        if told["version"] != _VERSION:
            raise FormatError(f"{head}: written in version {told['version']} of the format")
        rows = np.load(array, mmap_mode="r", allow_pickle=False)
        if len(rows) != told["packets"]:
            raise FormatError(f"{array}: {len(rows)} packets, where {told['packets']} were written")
        return Witness(PacketTable(rows, told["clients"], told["servers"]), int(told["dropped"]))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{array}: not the packets of a run: {error}") from None


def _files(directory: Path, run: int) -> tuple[Path, Path]:
    return directory / PACKETS / f"{run}.npy", directory / PACKETS / f"{run}.json"
