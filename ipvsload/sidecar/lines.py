"""The sidecar's NDJSON lines: a thousand servers, ten times a second.

`json.dumps` would make the text of every address again each time; here it is
made once and kept.
"""

import json
import sys
from typing import Any

from ipvsload.ipvs.decode import Batch, Row, TableRows
from ipvsload.ipvs.keys import Identity, endpoint, service_key

FORMAT = "samples"
VERSION = 1

_MAX_CACHED = 100_000


class _RowStarts(dict[tuple[Any, Any], str]):
    """How the array of a real server begins, by address and port, for one address family."""

    def __init__(self, family: int) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, key: tuple[bytes, int]) -> str:
        if len(self) >= _MAX_CACHED:  # pods come and go
            self.clear()
        text = self[key] = f'["{endpoint(self._family, *key)}",'
        return text


class SampleFormatter:
    """Formats samples; keeps the texts that occur again."""

    def __init__(self) -> None:
        self._services: dict[Row, str] = {}
        self._row_starts: dict[int, _RowStarts] = {}

    def sample(self, number: int, t: int, took: int, table: TableRows, node: str = "") -> str:
        """Format one sample; `t` (middle of the reading) and `took` in ns of CLOCK_MONOTONIC.

        `node` is whose it is, where one stream has several.
        """
        whose = f'"node":{json.dumps(node)},' if node else ""
        services = ",".join([self._service(row, batches) for row, batches in table])
        return f'{{{whose}"n":{number},"t":{t},"took":{took},"services":[{services}]}}\n'

    def _service(self, row: Row, batches: list[Batch]) -> str:
        head = self._services.get(row[:8])
        if head is None:
            head = self._head(row[:8])
        servers: list[str] = []
        for family, rows in batches:
            family = family or row[0]  # kernels before 3.18 do not say
            starts = self._row_starts.get(family)
            if starts is None:
                starts = self._row_starts[family] = _RowStarts(family)
            servers += [
                f"{starts[a, p]}{w},{act},{ina},{per},{c},{ip},{op},{ib},{ob}]"
                for a, p, w, act, ina, per, c, ip, op, ib, ob in rows
            ]
        conns, inpkts, outpkts, inbytes, outbytes = row[8:]
        return (
            f'{head}"conns":{conns},"inpkts":{inpkts},"outpkts":{outpkts},'
            f'"inbytes":{inbytes},"outbytes":{outbytes},"servers":[{",".join(servers)}]}}'
        )

    def _head(self, row: Row) -> str:
        family, protocol, address, port, fwmark, scheduler, flags, timeout = row
        key = service_key(Identity(family, protocol, address, port, fwmark))
        if len(self._services) >= _MAX_CACHED:
            self._services.clear()
        text = self._services[row] = (
            f'{{"key":"{key}","scheduler":{json.dumps(scheduler.rstrip(bytes(1)).decode())},'
            f'"flags":{int.from_bytes(flags[:4], sys.byteorder)},"persistent_timeout":{timeout},'
        )
        return text
