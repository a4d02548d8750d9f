"""The sidecar's NDJSON lines, made by formatting: a thousand servers ten times a second.

`json.dumps` would build every address and every digit anew; here the text of
an address is made once and kept.
"""

import json
import sys
from typing import Any

from ipvsload.ipvs.decode import Batch, Row, TableRows
from ipvsload.ipvs.keys import Identity, endpoint, service_key

FORMAT = "samples"
VERSION = 1

_KEPT = 100_000


class _Addresses(dict[tuple[Any, Any], str]):
    """(address, port) -> the beginning of a server's array, for one family."""

    def __init__(self, family: int) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, key: tuple[bytes, int]) -> str:
        if len(self) >= _KEPT:  # pods come and go
            self.clear()
        text = self[key] = f'["{endpoint(self._family, *key)}",'
        return text


class Lines:
    """Formats samples; keeps the texts that come again."""

    def __init__(self) -> None:
        self._services: dict[Row, str] = {}
        self._addresses: dict[int, _Addresses] = {}

    def sample(self, number: int, t: int, took: int, table: TableRows) -> str:
        """One sample; `t` (middle of the reading) and `took` in ns of CLOCK_MONOTONIC."""
        services = ",".join([self._service(row, batches) for row, batches in table])
        return f'{{"n":{number},"t":{t},"took":{took},"services":[{services}]}}\n'

    def _service(self, row: Row, batches: list[Batch]) -> str:
        head = self._services.get(row[:8])
        if head is None:
            head = self._head(row[:8])
        servers: list[str] = []
        for family, rows in batches:
            family = family or row[0]  # kernels before 3.18 do not say
            names = self._addresses.get(family)
            if names is None:
                names = self._addresses[family] = _Addresses(family)
            servers += [
                f"{names[a, p]}{w},{act},{ina},{per},{c},{ip},{op},{ib},{ob}]"
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
        if len(self._services) >= _KEPT:
            self._services.clear()
        text = self._services[row] = (
            f'{{"key":"{key}","scheduler":{json.dumps(scheduler.rstrip(bytes(1)).decode())},'
            f'"flags":{int.from_bytes(flags[:4], sys.byteorder)},"persistent_timeout":{timeout},'
        )
        return text
