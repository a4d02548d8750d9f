"""Which modules a kernel has, as the lists say that come with it in /lib/modules. Pure."""

from collections.abc import Iterable

MODULE_LISTS = ("modules.builtin", "modules.dep")
"""Modules that are built in, and those that are files (kbuild, depmod)."""


def module_names(*lists: Iterable[str]) -> frozenset[str]:
    """The modules that are named by lines of such lists.

    "kernel/net/netfilter/ipvs/ip_vs.ko.xz: ..." is ip_vs, and so is a bare "ip_vs".
    """
    paths = (line.partition(":")[0].strip() for lines in lists for line in lines)
    return frozenset(
        path.rpartition("/")[2].partition(".ko")[0].replace("-", "_") for path in paths if path
    )


def loaded_names(lines: Iterable[str]) -> frozenset[str]:
    """The modules that are loaded, by the lines of /proc/modules."""
    return frozenset(line.split()[0] for line in lines if line.strip())


def module_states(names: Iterable[str], loaded: str, builtin: str, files: str) -> dict[str, str]:
    """By module: "loaded", "built in", "loadable", or "absent"; "unknown" without the lists.

    `loaded` is the text of /proc/modules, `builtin` of modules.builtin and
    `files` of modules.dep.
    """
    states = {
        "loaded": loaded_names(loaded.splitlines()),
        "built in": module_names(builtin.splitlines()),
        "loadable": module_names(files.splitlines()),
    }
    otherwise = "absent" if states["built in"] or states["loadable"] else "unknown"
    return {
        name: next((state for state, modules in states.items() if name in modules), otherwise)
        for name in names
    }
