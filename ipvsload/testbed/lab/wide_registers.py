"""User-mode Linux on processors whose registers are wider than it knows (AMX).

It saves and restores the registers of the processes in it through ptrace, in a
buffer of fixed size. Where the processor has more (11,008 bytes with AMX), the
host refuses to restore them (arch/x86/kernel/fpu/regset.c, xstateregs_set)
and the guest's first process dies. When user-mode Linux finds that this kind of
request does not work at all, it uses an older one that knows the registers up
to SSE (arch/x86/um/os-Linux/registers.c, arch_init_registers). So a filter on
its system calls makes that request fail, and programs in the guest are told not
to use the wider registers, because nothing would save them.
"""

import ctypes
import errno
import struct
from pathlib import Path

from ipvsload.testbed.lab.namespaces import prctl

TUNABLES = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load"
"""GLIBC_TUNABLES of everything in such a guest."""
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_PTRACE = 101  # on x86-64
_PTRACE_GETREGSET = 0x4204
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
# Classic BPF over struct seccomp_data: number at 0, first argument at 16.
_FILTER = (
    (0x20, 0, 0, 0),  # load the system call's number
    (0x15, 0, 3, _PTRACE),
    (0x20, 0, 0, 16),
    (0x15, 0, 1, _PTRACE_GETREGSET),
    (0x06, 0, 0, _ERRNO | errno.EIO),
    (0x06, 0, 0, _ALLOW),
)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def needed(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether this processor has such registers."""
    try:
        return " amx_tile" in Path(cpuinfo).read_text()
    except OSError:
        return False


def hide() -> None:
    """In the process that will be user-mode Linux, for it and its children. Raises OSError."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in _FILTER)
    program = _Program(len(_FILTER), code)
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
