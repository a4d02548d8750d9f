"""A guest on a processor with wide registers: the filter does what it says, and no more."""

import subprocess
import sys
from pathlib import Path

from ipvsload.testbed.lab import wide_registers

ASK = """
import ctypes, os
from ipvsload.testbed.lab import wide_registers
libc = ctypes.CDLL(None, use_errno=True)
def refused(request):
    libc.ptrace(request, os.getpid(), 0x202, None)
    return os.strerror(ctypes.get_errno())
before = refused(0x4204)
wide_registers.hide()
print(before, refused(0x4204), refused(0x4205), os.getuid() >= 0, sep="|")
"""


def test_only_the_one_request_is_answered_with_an_error() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "No such process|Input/output error|No such process|True"


def test_it_is_needed_where_the_processor_has_amx(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    for flags, needed in (("fpu amx_bf16 amx_tile", True), ("fpu avx2 avx512f", False)):
        cpuinfo.write_text(f"processor : 0\nflags : {flags}\n")
        assert wide_registers.needed(str(cpuinfo)) is needed
    assert not wide_registers.needed(str(tmp_path / "none"))
