"""A cluster of one node with everything that makes it move."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipvsload.testbed.kubernetes import (
    absent_nodes,
    cluster_session,
    leftover_services,
    log_followers,
    polling,
    restore,
)
from tests.kubernetes.toy import Toy


@pytest.fixture
def toy_of(monkeypatch: pytest.MonkeyPatch) -> type[Toy]:
    """To make one oneself; what is waited for is waited for shortly."""
    monkeypatch.setattr(cluster_session, "_SYNC", 0.0)
    monkeypatch.setattr(cluster_session, "_CLEARED_WITHIN", 4.0)
    monkeypatch.setattr(restore, "_SYNC", 0.0)
    monkeypatch.setattr(leftover_services, "LET_GO_WITHIN", 2.0)
    monkeypatch.setattr(leftover_services, "CLEANED_WITHIN", 1.0)
    monkeypatch.setattr(polling, "_EVERY", 0.05)
    monkeypatch.setattr(absent_nodes, "_ASK_EVERY", 0.2)
    monkeypatch.setattr(log_followers, "_ASK_AFTER", 0.5)
    return Toy


@pytest.fixture
def two(toy_of: type[Toy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The same with two nodes."""
    with toy_of(tmp_path, nodes=2) as made:
        monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig))
        yield made


@pytest.fixture
def toy(toy_of: type[Toy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    with toy_of(tmp_path) as made:
        monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig))
        yield made
