"""The sidecar's loop over a table that is not a kernel's: lines, commands, ends."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipvsload
from ipvsload.ipvs.decode import InterruptedDumpError, TableRows
from ipvsload.ipvs.table import RealServer
from ipvsload.sidecar.collect import main
from ipvsload.sidecar.collector import Collector
from ipvsload.sidecar.commands import Commands
from ipvsload.sidecar.sampled_node import SampledNode
from ipvsload.sidecar.ticks import Ticks

HELLO_KEYS = [
    "ipvsload", "version", "node", "kernel", "ipvs", "hz", "t", "wall", "server_columns",
    "table",
    "tells_connections",
]  # fmt: skip


class Source:
    """An empty table; calls `then` at the reading of that number."""

    version = "1.2.1"

    def __init__(self, at: int = 0, then: Callable[[], None] = lambda: None) -> None:
        self.readings, self._at, self._then = 0, at, then

    def table(self) -> TableRows:
        self.readings += 1
        if self.readings == self._at:
            self._then()
        return []


class Pipes:
    def __init__(self) -> None:
        self.their_in, self.stdin = os.pipe()
        self.stdout, self.their_out = os.pipe()

    def collector(self, source: Source, *, hz: float = 50, count: int = 0) -> Collector:
        return self.of([SampledNode("n", source)], hz=hz, count=count)

    def of(self, nodes: list[SampledNode], *, hz: float = 50, count: int = 0) -> Collector:
        return Collector(nodes, hz=hz, count=count, stdin=self.their_in, stdout=self.their_out)

    def lines(self) -> list[dict[str, Any]]:
        os.close(self.their_out)
        with os.fdopen(self.stdout) as file:
            return [json.loads(line) for line in file]


@pytest.fixture
def pipes() -> Pipes:
    return Pipes()


def test_the_lines_of_several_nodes_name_them(pipes: Pipes) -> None:
    def settings() -> list[dict[str, object]]:
        return [{"settings": {}, "t": 1}]

    nodes = [SampledNode("a", Source()), SampledNode("b", Source(), settings)]
    os.write(pipes.stdin, b"ping 7\n")
    pipes.of(nodes, count=1).run()
    hello, *rest = pipes.lines()
    assert hello["node"] == "a"
    assert [one["node"] for one in rest if "services" in one] == ["a", "b"]
    assert [one["n"] for one in rest if "services" in one] == [0, 0]
    assert {one["node"] for one in rest if "settings" in one} == {"b"}
    (pong,) = (one for one in rest if "pong" in one)
    assert pong == {"pong": "7", "t": pong["t"], "others": {"b": pong["t"]}}
    assert rest[-1] == {"end": "count", "samples": 1, "missed": 0}


def test_hello_samples_end(pipes: Pipes) -> None:
    pipes.collector(Source(), count=3).run()
    hello, *samples, end = pipes.lines()
    assert list(hello) == HELLO_KEYS
    assert (hello["ipvsload"], hello["version"], hello["node"], hello["hz"]) == (
        "samples",
        1,
        "n",
        50,
    )
    assert hello["server_columns"] == list(RealServer._fields)
    assert [sample["n"] for sample in samples] == [0, 1, 2]
    assert all(sample["services"] == [] and sample["took"] >= 0 for sample in samples)
    assert sorted(sample["t"] for sample in samples) == [sample["t"] for sample in samples]
    assert end["end"] == "count"
    assert end["samples"] == 3


def test_no_stdin_is_no_end(pipes: Pipes) -> None:
    os.close(pipes.stdin)
    pipes.collector(Source(), count=2).run()
    assert pipes.lines()[-1]["end"] == "count"


def test_a_ping_does_not_wait_for_the_tick(pipes: Pipes) -> None:
    """The next tick is 10 s away, and the end comes by stdin: both must be answered before."""
    os.write(pipes.stdin, b'ping "1"\nping\nend\n')
    pipes.collector(Source(), hz=0.1).run()
    hello, *rest = pipes.lines()
    pongs = [line for line in rest if "pong" in line]
    assert [pong["pong"] for pong in pongs] == ['"1"', ""]
    assert all(pong["t"] >= hello["t"] for pong in pongs)
    assert rest[-1]["end"] == "asked"


def test_a_look_does_not_wait_for_the_tick(pipes: Pipes) -> None:
    """The tick after the first is 10 s away, and stays where it is."""

    class Looked(Source):
        def table(self) -> TableRows:
            os.write(pipes.stdin, b"look\n" if self.readings < 3 else b"end\n")
            return super().table()

    pipes.collector(Looked(), hz=0.1).run()
    _, *samples, end = pipes.lines()
    assert [line["n"] for line in samples] == [0, 1, 2, 3]
    assert end == {"end": "asked", "samples": 4, "missed": 0}


def test_an_unknown_command_is_named_and_passed_over(
    pipes: Pipes, capsys: pytest.CaptureFixture[str]
) -> None:
    os.write(pipes.stdin, b"dance\nend\n")
    pipes.collector(Source(), hz=0.1).run()
    assert "no command 'dance'" in capsys.readouterr().err
    assert pipes.lines()[-1]["end"] == "asked"


def test_connections_are_told_between_the_samples_of_each_node(
    pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "ip_vs_conn"
    table.write_text(
        "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
        "TCP C0000265 C350 C0000250 0050 C633640B 0050 ESTABLISHED     899\n"
        "TCP C0000265 C351 C0000250 0051 C633640C 0050 TIME_WAIT       119\n"
    )
    monkeypatch.setattr("ipvsload.sidecar.collector.CONNECTIONS", str(table))
    monkeypatch.setattr("ipvsload.sidecar.connection_reader._OFTEN", 0.01)
    os.write(pipes.stdin, b"connections nonsense\nconnections 192.0.2.80:80\n")
    pipes.of([SampledNode("a", Source()), SampledNode("b", Source())], count=20).run()
    lines = pipes.lines()
    told = [line for line in lines if "connections" in line]
    row = ["192.0.2.101", 50000, "198.51.100.11:80", "ESTABLISHED", 80]
    assert [line["connections"] for line in told] == [[row], [row]]
    assert {line["node"] for line in told} == {"a", "b"}
    reads = [line["connections_read"] for line in lines if "connections_read" in line]
    assert reads
    assert {(one["entries"], one["source"], one["why"]) for one in reads} == {(2, "ip_vs_conn", "")}


def test_without_ipvs_it_says_why_no_connection_is_told(
    pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = str(tmp_path / "ip_vs_conn")
    monkeypatch.setattr("ipvsload.sidecar.collector.CONNECTIONS", nothing)
    os.write(pipes.stdin, b"connections :80\n")
    pipes.collector(Source(), count=2).run()
    (read,) = (line["connections_read"] for line in pipes.lines() if "connections_read" in line)
    assert read["why"] == f"{nothing}: No such file or directory"


def test_a_reader_that_has_gone_ends_it(pipes: Pipes) -> None:
    source = Source(at=2, then=lambda: os.close(pipes.stdout))
    with pytest.raises(BrokenPipeError):
        pipes.collector(source).run()
    assert source.readings == 2


def test_a_reading_that_could_not_be_made_is_a_missed_tick(pipes: Pipes) -> None:
    def busy() -> None:
        raise InterruptedDumpError

    pipes.collector(Source(at=2, then=busy), count=3).run()
    *_, end = lines = pipes.lines()
    assert [line["n"] for line in lines if "n" in line] == [0, 1, 2]
    assert end["samples"] == 3
    assert end["missed"] >= 1


def test_stop_from_elsewhere(pipes: Pipes) -> None:
    collector = pipes.collector(Source(), hz=0.1)
    threading.Thread(target=collector.stop, args=("SIGTERM",)).start()
    collector.run()
    assert pipes.lines()[-1]["end"] == "SIGTERM"


@given(st.floats(0.1, 50), st.lists(st.integers(0, 10**11), max_size=30))
def test_ticks_keep_to_their_grid(hz: float, delays: list[int]) -> None:
    start = 10**15
    ticks, period = Ticks(hz, start), round(1e9 / hz)
    now = start
    for served, delay in enumerate(delays, 1):
        now = max(now, ticks.due) + delay  # woken late, or the reading took long
        ticks.served(now)
        assert (ticks.due - start) % period == 0
        assert now < ticks.due <= now + period
        assert ticks.missed + served == (ticks.due - start) // period


@given(
    st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"])),
    st.integers(1, 9),
)
def test_commands_come_whole_however_they_are_cut(text: str, size: int) -> None:
    commands, found = Commands(), list[str]()
    data = f"{text}\nend\nhalf".encode()
    for i in range(0, len(data), size):
        found += commands.feed(data[i : i + size])
    assert found == [text.strip(), "end"]


def test_an_endless_command_is_dropped() -> None:
    commands = Commands()
    for _ in range(100):
        assert commands.feed(b"x" * 1000) == []
    assert commands.feed(b"\nend\n")[-1] == "end"


@pytest.mark.parametrize(
    "options", [["--hz", "0"], ["--hz", "51"], ["--hz", "nan"], ["--count", "0"], ["--hz", "x"]]
)
def test_bad_options_are_bad_usage(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert options[0] in capsys.readouterr().err


PATHS = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
"""For an interpreter without its site, as in the director."""


def test_it_needs_little() -> None:
    """It must run from a stock Python with pyroute2, and start soon: nothing heavy, no asyncio."""
    program = "import sys, ipvsload.sidecar.collect, ipvsload.ipvs.client; print(*sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    modules = set(output.split())
    heavy = {"asyncio", "ssl", "gevent", "pydantic", "click", "rich", "locust", "sqlite3"}
    assert not heavy & modules
    ours = {name for name in modules if name.split(".")[0] == "ipvsload"}
    rooms = ("ipvsload.sidecar", "ipvsload.netfilter", "ipvsload.ipvs")
    assert {name for name in ours if not name.startswith(rooms)} == {"ipvsload"}
    assert {name.split(".")[1] for name in modules if name.startswith("pyroute2.")} == {
        "common",
        "netlink",
    }


def test_a_labs_sidecar_imports_nothing_that_it_may_not_need() -> None:
    """In user-mode Linux these took as long as all the rest of its start."""
    program = "import sys, ipvsload.testbed.lab.directors_sidecar; print(*sys.modules)"
    output = subprocess.check_output([sys.executable, "-S", "-c", program], text=True, env=PATHS)
    rules = {f"ipvsload.netfilter.{name}" for name in ("nat_table", "conntrack", "chain_names")}
    assert not {"argparse", "hashlib", "base64", *rules} & set(output.split())


def test_pyroute2_is_whole_for_whoever_imports_it_afterwards() -> None:
    program = "import ipvsload.ipvs.client; from pyroute2 import IPRoute, IPVS; IPRoute().close()"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_pyroute2_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p];"
        f"sys.path.insert(0, {str(Path(ipvsload.__file__).parent.parent)!r});"
        "from ipvsload.sidecar.collect import main; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "pip install 'pyroute2" in done.stderr
