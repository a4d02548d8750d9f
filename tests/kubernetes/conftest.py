"""A cluster of one node with everything that makes it move."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipvsload.testbed.kubernetes import restore, wait
from ipvsload.testbed.kubernetes import testbed as module
from tests.kubernetes.toy import Toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    monkeypatch.setattr(module, "_SYNC", 0.0)
    monkeypatch.setattr(restore, "_SYNC", 0.0)
    monkeypatch.setattr(wait, "_EVERY", 0.05)
    with Toy(tmp_path) as made:
        monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig))
        yield made
