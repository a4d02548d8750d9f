"""What puts a node's table right, where the kernel refuses a real server."""

from typing import Any

import pytest

from ipvsload.ipvs.netlink import ExistsError, IpvsError
from ipvsload.ipvs.saved_services import SavedServer, SavedService
from ipvsload.ipvs.service_keeper import ServiceKeeper
from ipvsload.sidecar import put_back
from ipvsload.sidecar.put_back import put_right

ONE, TWO, THREE = (SavedServer(f"198.51.100.{n}:80", 2, 1) for n in (1, 2, 3))
SERVICE = SavedService("tcp 192.0.2.9:80", "rr", servers=(ONE, TWO, THREE))


class Table(ServiceKeeper):
    """A table that begins empty, and refuses the second server while `refuses`."""

    refuses = True
    there: list[str] | None = None

    def __init__(self) -> None:
        pass

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _write(self, _command: int, doing: str, *_: Any) -> None:
        if Table.there is not None:
            raise ExistsError(doing)
        Table.there = []

    def _change(self, _command: int, doing: str, *_: Any) -> None:
        assert Table.there is not None
        if TWO.address in doing and Table.refuses:
            raise IpvsError(f"{doing}: no")
        Table.there.append(doing)

    def _has_servers(self, _: Any) -> bool:
        return bool(Table.there)


def test_a_server_that_is_refused_is_told_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(put_back, "ServiceKeeper", Table)
    monkeypatch.setattr(Table, "there", None)
    missing: dict[str, str] = {}
    wrong = {SERVICE.key: f"putting {TWO.address} of {SERVICE.key} back: no"}
    assert put_right([SERVICE], [], missing) == (True, wrong)
    assert len(Table.there or []) == 2
    # Now it is there, as its owner might have made it.
    assert put_right([SERVICE], [], missing) == (False, wrong)
    # A kube-proxy has emptied the table, and the kernel takes all.
    Table.there, Table.refuses = None, False
    assert put_right([SERVICE], [], missing) == (True, {})
    assert put_right([SERVICE], [], missing) == (False, {})
