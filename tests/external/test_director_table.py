"""A director that is there already, played by a file that a command prints and another changes."""

from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.external import director_table
from ipvsload.testbed.external.external_testbed import ExternalTestbed
from tests.sidecar.test_stream import whole

TWO = [("198.51.100.11:80", 1), ("[2001:db8::11]:81", 0)]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines"
    path.write_bytes(whole())
    return path


def watched(lines: Path, url: str = "http://192.0.2.80", **more: Any) -> ExternalTestbed:
    return ExternalTestbed(url, f"sh -c 'cat {lines}'", **more)


def test_the_service_is_taken_as_it_is(lines: Path) -> None:
    testbed = watched(lines)
    testbed.wait_ready()
    service = testbed.begin(ServiceSpec(""))
    assert (service.balancer, sorted(service.servers)) == ("rr", sorted(TWO))
    assert service.target.key == "tcp 192.0.2.80:80"
    assert service.baseline == {"198.51.100.11:80": 5, "[2001:db8::11]:81": 0}
    assert testbed.kernel == {"release": "6.1", "provider": "node"}
    with pytest.raises(TestbedError, match="balanced by rr and not by lc"):
        testbed.begin(ServiceSpec("lc"))
    with pytest.raises(TestbedError, match="2 real servers and the scenario begins with 3"):
        testbed.begin(ServiceSpec("rr", (1, 1, 1)))
    testbed.close()


def test_behind_an_address_translation_the_port_is_enough_and_that_is_said(lines: Path) -> None:
    told: list[str] = []
    testbed = watched(lines, "http://127.0.0.1", tell=told.append)
    testbed.wait_ready()
    assert testbed.begin(ServiceSpec("")).guess == told[0]
    assert told[0].startswith(
        "tcp 192.0.2.80:80 is taken for the service that http://127.0.0.1 reaches"
    )
    with pytest.raises(TestbedError, match=r"no service for http://127.0.0.1:81; it has tcp 192"):
        watched(lines, "http://127.0.0.1:81").wait_ready()


def test_what_a_command_sets_is_waited_for_and_put_back(
    lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(director_table, "_SHOWN_WITHIN", 0.0)
    before = lines.read_text()
    change = f"""sed -i 's/"rr"/"{{scheduler}}"/; s/"lc"/"{{scheduler}}"/' {lines}"""
    testbed = watched(lines, set_scheduler=change)
    assert testbed.begin(ServiceSpec("lc", (1, 1))).balancer == "lc"
    testbed.set_balancer("rr")
    testbed.set_balancer("lc")
    assert lines.read_text() != before
    testbed.close()
    assert lines.read_text() == before
    idle = watched(lines, set_scheduler="true {scheduler}")
    idle.wait_ready()
    with pytest.raises(TestbedError, match=r"does not show scheduler lc within 0 s"):
        idle.set_balancer("lc")
    idle.close()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program", "--sidecar no-such-program: No such file or directory"),
        ("sh -c 'echo no table >&2; exit 3'", "no table"),
        ("sh -c 'exit 3'", "it ended with status 3"),
        ("sh -c 'echo hello'", "--sidecar sh -c 'echo hello'"),
    ],
)
def test_a_command_that_reads_nothing_is_named(command: str, said: str) -> None:
    with pytest.raises(TestbedError) as refusal:
        ExternalTestbed("http://192.0.2.80", command).wait_ready()
    assert said in str(refusal.value)


def test_without_a_command_there_is_load_and_nothing_to_see() -> None:
    testbed = ExternalTestbed("http://192.0.2.80:8080", "")
    testbed.wait_ready()
    assert not testbed.has_samples
    service = testbed.begin(ServiceSpec(""))
    assert (service.target.key, service.target.port, service.servers) == ("", 8080, [])
    assert testbed.connection_servers([("192.0.2.1", 4000)]) is None
    with pytest.raises(TestbedError, match="nothing reads the balancer's table"):
        testbed.open_samples(10)
    with pytest.raises(UsageError, match="--sidecar"):
        ExternalTestbed("http://192.0.2.80", "'")


def test_samples_come_from_the_commands_output(lines: Path) -> None:
    testbed = ExternalTestbed("http://192.0.2.80", f"sh -c 'cat {lines}; cat'")
    pipe = testbed.open_samples(10)
    pipe.sendall(b"ping 1\n")
    data = b""
    while not data.endswith(b"ping 1\n"):
        data += pipe.recv(1 << 16)
    assert data == whole() + b"ping 1\n"
    testbed.close()
    testbed.close()


def test_a_testbed_that_is_made_anew_takes_no_more_descriptors() -> None:
    first = ExternalTestbed("http://192.0.2.80", "").fileno()
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert {ExternalTestbed("http://192.0.2.80", "").fileno() for _ in range(20)} == {first}
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_scheduler_that_it_cannot_have_is_told_beforehand(lines: Path) -> None:
    """What is there stays where nothing sets it; else the kernel's own lists decide."""
    fixed = watched(lines)
    fixed.wait_ready()
    (told,) = fixed.missing_balancers(["rr", "lc"]).items()
    assert told[0] == "lc"
    assert told[1].startswith("tcp 192.0.2.80:80 is balanced by rr: ")
    states = {"lc": "loadable", "mh": "absent", "twos": "unknown"}
    text = lines.read_text().replace('"settings": {', f'"settings": {{"schedulers": {states},')
    lines.write_text(text.replace("'", '"'))
    testbed = watched(lines, set_scheduler="true {scheduler}")
    testbed.wait_ready()
    assert testbed.missing_balancers(["rr", "lc", "mh", "twos"]) == {
        "mh": "the director's kernel (Linux 6.1) does not have this scheduler, module ip_vs_mh"
    }
    testbed.close()
    assert ExternalTestbed("http://192.0.2.80:8080", "").missing_balancers(["lc"]) == {}
