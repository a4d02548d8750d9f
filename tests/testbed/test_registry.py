"""Testbeds and balancers are found, and say of themselves what commands must know."""

import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload import testbed
from ipvsload.errors import UsageError
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario import balancers
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.testbed.registry import (
    DEFAULT,
    TESTBEDS,
    kind_for_host,
    refuse_foreign_balancers,
    refuse_foreign_options,
)

_HEAVY = ("gevent", "locust", "kubernetes", "pyroute2", "yaml", "pydantic", "ssl", "asyncio")


def test_every_description_is_found_and_one_is_the_default() -> None:
    described = {
        path.stem.removesuffix("_kind") for path in Path(testbed.__path__[0]).rglob("*_kind.py")
    }
    assert set(TESTBEDS) == described == {"lab", "external", "kubernetes"}
    assert [kind.name for kind in TESTBEDS.values() if kind.is_default] == [DEFAULT.name] == ["lab"]


def test_names_of_options_stand_for_one_thing() -> None:
    names = [option.name for kind in TESTBEDS.values() for option in kind.options]
    assert len(names) == len(set(names))


def test_a_new_file_is_a_new_testbed(tmp_path: Path) -> None:
    (tmp_path / "toy_kind.py").write_text(
        "from ipvsload.testbed.kind import TestbedKind\n"
        "KIND = TestbedKind('toy', 'a toy', (), print, ('rr',))\n"
    )
    program = (
        "import ipvsload.testbed as package, pathlib\n"
        f"package.__path__.append({str(tmp_path)!r})\n"
        "from ipvsload.testbed.registry import TESTBEDS\n"
        "print(*TESTBEDS)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    others = sorted({*TESTBEDS, "toy"} - {DEFAULT.name})
    assert done.stdout.split() == [DEFAULT.name, *others], done.stderr


def test_descriptions_import_nothing_heavy() -> None:
    program = "import ipvsload.testbed.registry, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & set(_HEAVY)
    assert "ipvsload.testbed.kubernetes.kubernetes_kind" in done.stdout


def test_an_address_means_the_testbed_that_takes_one() -> None:
    assert kind_for_host("http://192.0.2.1").name == "external"
    assert kind_for_host("") is DEFAULT


def test_what_belongs_to_another_testbed_is_refused() -> None:
    refuse_foreign_options(TESTBEDS["kubernetes"], ["context", "scenario", "hz"])
    with pytest.raises(UsageError, match="--keep-proxy is an option of --testbed kubernetes, not"):
        refuse_foreign_options(TESTBEDS["lab"], ["keep_proxy"])
    kubernetes = TESTBEDS["kubernetes"]
    refuse_foreign_balancers(kubernetes, [name for name in BALANCERS if name != "nftables-hash"])
    refuse_foreign_balancers(TESTBEDS["lab"], BALANCERS)
    with pytest.raises(UsageError, match="nftables-hash is not one of --testbed kubernetes: --t"):
        refuse_foreign_balancers(kubernetes, ["nftables-hash"])
    refuse_foreign_balancers(TESTBEDS["lab"], SCHEDULERS)
    with pytest.raises(
        UsageError, match="iptables is a mode of kube-proxy: --testbed lab or kubernetes"
    ):
        refuse_foreign_balancers(TESTBEDS["external"], ["rr", "iptables"])
    only_rr = DEFAULT._replace(name="toy", balancers=("rr",))
    with pytest.raises(UsageError, match=r"lc is not one of --testbed toy: --testbed lab or ext"):
        refuse_foreign_balancers(only_rr, ["rr", "lc"])


def test_balancers_are_the_schedulers_and_what_works_without_ipvs() -> None:
    assert [name for name in BALANCERS if BALANCERS[name].in_ipvs_table] == list(SCHEDULERS)
    outside = {name: one for name, one in BALANCERS.items() if not one.in_ipvs_table}
    assert list(outside) == ["iptables", "nftables", "nftables-hash"]
    for name in ("iptables", "nftables"):
        assert balancers.of_proxy_mode(name) is outside[name]
    for mode in ("ipvs", "userspace", "", None):
        assert balancers.of_proxy_mode(mode) is None


@pytest.mark.parametrize("name", ["", "newer_than_this_program"])
def test_an_unknown_balancer_is_taken_for_a_scheduler(name: str) -> None:
    assert balancers.find(name).in_ipvs_table
    assert balancers.find(name).name == name
