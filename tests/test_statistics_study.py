"""What `make study-statistics` reckons of columns: shares, and what is found of 5 % more."""

import random
import re
import statistics

import pytest

from benchmarks import statistics_study as study
from ipvsload.results.pair_comparison import MeasuredColumn


def columns(blocks: int, noise: float) -> list[MeasuredColumn]:
    draw = random.Random(5)
    found = []
    for label in ("lc", "lc-again"):
        values = [100 + draw.gauss(0, noise) for _ in range(blocks)]
        middle = statistics.median(values)
        told = tuple(enumerate(values, 1))
        found.append(
            MeasuredColumn(label, "latency_p95{class=c}", "ms", "less", told, middle, None)
        )
    return found


def test_little_noise_finds_every_five_percent(capsys: pytest.CaptureFixture[str]) -> None:
    study.tell("here", [columns(40, 1), columns(45, 1)])
    told = capsys.readouterr().out
    assert re.search(r"here: false alarms \d of 8, ", told)
    assert "here, times 1.05: latency_p95{class=c} found with 10 blocks 8 of 8, 100.0 %" in told
    assert "found with 20 blocks 4 of 4, 100.0 %" in told
    assert "left out" not in told


def test_much_noise_finds_none(capsys: pytest.CaptureFixture[str]) -> None:
    study.power("here", [study.times(columns(20, 60), study.LONGER)])
    assert "found with 10 blocks 0 of 2, 0.0 % [0.0, 84.2]" in capsys.readouterr().out


def test_a_share_has_its_interval() -> None:
    assert study.share(4, 200) == "4 of 200, 2.0 % [0.5, 5.0]"
