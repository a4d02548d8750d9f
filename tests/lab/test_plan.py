"""The lab's kernels on paper: their command lines, and what they need of a machine."""

from pathlib import Path

import pytest

import ipvsload
from ipvsload import cpio
from ipvsload.testbed.lab.kernels import CHOICES, qemu, uml
from ipvsload.testbed.lab.kernels.base import Place
from ipvsload.testbed.lab.kernels.providers import KERNELS

MODULES = ["ip_vs", "ip_vs_rr", "ip_vs_lc"]
PLACE = Place(1, "/dev/shm", MODULES, ["/a"], processor=0)


def test_the_providers_are_found_in_the_order_in_which_auto_tries_them() -> None:
    known = ["host", "uml", "qemu"]
    assert [name for name in KERNELS if name in known] == known
    assert all(provider.mend for provider in KERNELS.values())
    assert set(CHOICES) == {"auto", *KERNELS}


def test_the_guests_words_after_the_dashes_are_its_first_process_arguments() -> None:
    argv = uml.command(["/bin/python", "-m", "x"], {"PYTHONPATH": "/a:/b"}, "/dev/shm")
    assert argv[argv.index("--") :] == ["--", "-m", "x"]
    assert "init=/bin/python" in argv
    assert "PYTHONPATH=/a:/b" in argv
    assert argv.index("PYTHONPATH=/a:/b") < argv.index("--")


def test_a_path_with_a_space_stays_one_word_of_the_guests_kernel() -> None:
    argv = uml.command(["/a b/python", "-m", "x"], {"PYTHONPATH": "/c d:/e"}, "/dev/shm")
    assert 'init="/a b/python"' in argv
    assert 'PYTHONPATH="/c d:/e"' in argv


def test_the_cards_filter_is_four_instructions_of_eight_bytes() -> None:
    assert len(uml.receive_filter()) == 4 * 8


def machine(processor: str, accelerator: str) -> list[str]:
    init, environment = qemu.first_program(PLACE)
    return qemu.command(
        processor,
        Path("/image"),
        "/dev/shm/initrd",
        accelerator,
        7,
        init,
        environment,
    )


def test_the_machines_words_are_its_first_programs_and_its_card_is_the_descriptor() -> None:
    init, _ = qemu.first_program(PLACE)
    argv = machine("x86_64", "tcg")
    words = argv[argv.index("-append") + 1].split()
    assert words[words.index("--") + 1 :] == init
    words_of_agent = ["1", "ipv4", "eth0", "eth0", "-", "virtio_net", "macvlan", *MODULES]
    assert init[-len(words_of_agent) :] == words_of_agent
    assert words.index("PYTHONPATH=/run/code:/usr/lib/python3/dist-packages") < words.index("--")
    # One card only: what leaves by two leaves in no order.
    assert [word for word in argv if word.startswith("tap,")] == ["tap,id=card,fd=7"]
    assert argv[argv.index("-accel") + 1] == "tcg"
    # Nothing of it can be reached but through its card and its console.
    assert {"-nodefaults", "-no-user-config"} <= set(argv)


@pytest.mark.parametrize(
    ("processor", "program", "board", "console"),
    [
        ("x86_64", "qemu-system-x86_64", "q35", "ttyS0"),
        ("aarch64", "qemu-system-aarch64", "virt,gic-version=max", "ttyAMA0"),
    ],
)
def test_each_kind_of_processor_has_its_program_board_and_console(
    processor: str, program: str, board: str, console: str
) -> None:
    argv = machine(processor, "tcg")
    assert argv[0] == program
    assert argv[argv.index("-machine") + 1] == board
    assert argv[argv.index("-append") + 1].split()[0] == f"console={console}"
    assert argv[argv.index("-cpu") + 1].startswith("max")
    argv = machine(processor, "kvm")
    assert argv[argv.index("-cpu") + 1] == "host"


def test_what_is_missing_names_the_processors_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install qemu-system-x86" in (qemu.missing("x86_64", tmp_path) or "")
    assert "install qemu-system-arm" in (qemu.missing("aarch64", tmp_path) or "")
    assert "riscv64" in (qemu.missing("riscv64", tmp_path) or "")


INTEL = "processor : 0\nflags\t\t: fpu sse2 vmx smx\n"
AMD = "flags : fpu svm\n"
ARM = "processor : 0\nFeatures\t: fp asimd evtstrm\n"
NEITHER = "model name : has vmxnet3\nflags : fpu hypervisor\n"


def test_kvm_is_tried_where_it_is_open_and_the_processor_helps() -> None:
    assert qemu.accelerators("x86_64", INTEL, kvm=True) == ("kvm", "tcg")
    assert qemu.accelerators("x86_64", AMD, kvm=True) == ("kvm", "tcg")
    assert qemu.accelerators("x86_64", NEITHER, kvm=True) == ("tcg",)
    assert qemu.accelerators("x86_64", INTEL, kvm=False) == ("tcg",)
    assert qemu.accelerators("aarch64", ARM, kvm=True) == ("kvm", "tcg")
    assert qemu.accelerators("aarch64", ARM, kvm=False) == ("tcg",)


def test_the_machine_gets_the_agent_and_the_sidecar_and_nothing_heavy() -> None:
    *entries, _rest = cpio.entries(qemu.code(Path(ipvsload.__file__).parent))
    names = {entry.path for entry in entries}
    assert {
        "code/ipvsload/testbed/lab/director_agent.py",
        "code/ipvsload/sidecar/collect.py",
    } <= names
    assert not any("locust" in name or "plugin" in name for name in names)
    assert sum(len(entry.data) for entry in entries) < 1_000_000
