"""What commands have set on somebody's director is put back, also where one of them fails."""

from pathlib import Path

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.external.director_changes import DirectorChanges


def test_what_cannot_be_put_back_is_told_and_tried_again(tmp_path: Path) -> None:
    log, broken = tmp_path / "log", tmp_path / "broken"
    note = f"echo {{service}} $0 >> {log}"
    scheduler = (
        f"sh -c 'test ! -e {broken} || {{ echo no way >&2; exit 1; }}; {note}' {{scheduler}}"
    )
    weight = f"sh -c '{note}' {{server}}={{weight}}"
    changes = DirectorChanges(scheduler, weight)
    changes.set_scheduler("tcp 192.0.2.80:80", "lc", "rr")
    changes.set_weight("tcp 192.0.2.80:80", "198.51.100.11:80", 5, 1)
    changes.set_weight("tcp 192.0.2.80:80", "198.51.100.11:80", 7, 5)
    broken.touch()
    with pytest.raises(TestbedError, match="no way"):
        changes.undo()
    assert log.read_text().splitlines()[-1] == "192.0.2.80:80 198.51.100.11:80=1"
    broken.unlink()
    changes.undo()
    assert log.read_text().splitlines()[-1] == "192.0.2.80:80 rr"
    before = log.read_text()
    changes.undo()
    assert log.read_text() == before
