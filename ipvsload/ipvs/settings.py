"""What is set on a director besides its table, out of /proc/sys/net/ipv4/vs.

The files belong to the network namespace of whoever reads them, and every user
may read them. IPVS's timeouts are not among them: see `Ipvs.timeouts`.
"""

import os

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
