"""A director that sees none of the host's files gets all of ipvsload that its programs import."""

import re
from pathlib import Path

import grimp
import pytest

import ipvsload
from ipvsload.testbed.lab.kernels.qemu import PARTS

PROGRAMS = "ipvsload.testbed.lab.director_agent", "ipvsload.sidecar.collect"


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_imports_is_given_to_the_machine(program: str) -> None:
    graph = grimp.build_graph("ipvsload", cache_dir=None)
    imported = {program} | graph.find_upstream_modules(program)
    given = {".".join(("ipvsload", *Path(part).parts)) for part in PARTS}
    assert {m for m in imported - given if m.rpartition(".")[0] not in given} == set()


def test_the_image_has_the_same_parts() -> None:
    makefile = Path(ipvsload.__file__).parents[1] / "iso" / "Makefile"
    (listed,) = re.findall(r"^CODE := \$\(foreach part,([^,]+),", makefile.read_text(), re.M)
    assert [part.strip(".") for part in listed.split()] == list(PARTS)
