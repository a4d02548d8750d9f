"""What is set on a director besides its table, out of /proc/sys/net/ipv4/vs.

The files belong to the network namespace of whoever reads them, and every user
may read them. IPVS's timeouts are not among them: see `Ipvs.timeouts`.
"""

import os
from collections.abc import Iterable, Mapping

SYSCTLS = "/proc/sys/net/ipv4/vs"


def read_sysctls() -> dict[str, int | str]:
    """Every sysctl of IPVS by name; a number where it is one. Empty where there is no IPVS."""
    found: dict[str, int | str] = {}
    try:
        names = sorted(os.listdir(SYSCTLS))
    except OSError:
        return found
    for name in names:
        try:
            file = os.open(f"{SYSCTLS}/{name}", os.O_RDONLY)
        except OSError:  # one that only root may read, or the module was taken out
            continue
        try:
            text = " ".join(os.read(file, 4096).decode(errors="replace").split())
        except OSError:
            continue
        finally:
            os.close(file)
        found[name] = int(text) if text.removeprefix("-").isdecimal() else text
    return found


def write_sysctls(values: Mapping[str, int]) -> None:
    """Set these of this network namespace. Raises OSError at the first that cannot be."""
    for name, value in values.items():
        with open(f"{SYSCTLS}/{name}", "w") as file:
            file.write(str(value))


def refused_sysctls(names: Iterable[str]) -> dict[str, str]:
    """Which of these cannot be set here, with the reason for each.

    A kernel shows some as read-only, or not at all, where the network namespace is not
    the first user namespace's (ip_vs_ctl.c, ip_vs_control_net_init_sysctl).
    """
    found = {}
    for name in names:
        path = f"{SYSCTLS}/{name}"
        if not os.path.exists(path):
            found[name] = "the director's kernel does not have it"
        elif not os.access(path, os.W_OK):
            found[name] = "the director's kernel lets nobody set it here"
    return found
