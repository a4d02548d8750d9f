"""What the image does under which of an engine's flags, found out by trying.

    python -m benchmarks.container [ENGINE...]

ENGINE is a command that starts containers, such as `docker` or `sudo podman`, and that has the
image; by default it is deploy/engine, after `make image`. Prints a table for docs/container.md,
and how large the image's parts are.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ipvsload import __version__

IMAGE = f"ipvsload:{__version__}"
OWN_ENGINE = str(Path(__file__).parents[1] / "deploy/engine")
WITHIN_S = 120
"""For one trial."""

_PLAIN = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
_NOTHING = (*_PLAIN, "--security-opt", "no-new-privileges")
_ROOT = ("--user", "0")
_SECCOMP = ("--security-opt", "seccomp=unconfined")
_PATHS = {"docker": ("--security-opt", "systempaths=unconfined")}
_UNMASK = ("--security-opt", "unmask=ALL")
_CAPABILITIES = tuple(
    word for name in ("SYS_ADMIN", "NET_ADMIN", "NET_RAW") for word in ("--cap-add", name)
)


def rows(engine: Sequence[str]) -> list[tuple[str, ...]]:
    """The flags to be tried, row by row."""
    paths = _PATHS.get(Path(engine[-1]).name, _UNMASK)
    return [
        (),
        _NOTHING,
        _SECCOMP,
        paths,
        (*_SECCOMP, *paths),
        (*_NOTHING, *paths),
        (*_NOTHING, *_SECCOMP, *paths),
        (*_ROOT, *paths),
        (*_ROOT, *_SECCOMP, *paths),
        (*_ROOT, "--cap-drop", "ALL", *_SECCOMP, *paths),
        (*_ROOT, *_CAPABILITIES),
        ("--privileged",),
    ]


USES = {
    "simulate, report": (
        "sh", "-c", "ipvsload simulate skew --out /tmp/run && ipvsload report /tmp/run",
    ),
    "Locust": ("locust", "--locustfile=locustfiles/mixed.py", "--list"),
    "the lab": ("ipvsload", "lab", "--servers", "2", "--", "true"),
}  # fmt: skip


def outcome(engine: Sequence[str], flags: Sequence[str], use: Sequence[str]) -> str:
    """`yes`, or the reason that was given."""
    program, *arguments = use
    command = [*engine, "run", "--rm", "--network", "none", *flags, "--entrypoint", program]
    try:
        done = subprocess.run(
            [*command, IMAGE, *arguments], capture_output=True, text=True, timeout=WITHIN_S
        )
    except subprocess.TimeoutExpired:
        return f"no end within {WITHIN_S} s"
    if done.returncode == 0:
        return "yes"
    first = (done.stderr.strip() or "nothing was said").splitlines()[0]
    return "no: " + first.rpartition("lab: ")[2].rstrip(".")


def main() -> None:
    """Try all."""
    engine = sys.argv[1:] or [OWN_ENGINE]
    print("| flags | " + " | ".join(USES) + " |")
    print("| --- " * (1 + len(USES)) + "|")
    for flags in rows(engine):
        told = f"`{' '.join(flags)}`" if flags else "none"
        print(
            f"| {told} | {' | '.join(outcome(engine, flags, use) for use in USES.values())} |",
            flush=True,
        )
    print()
    parts = "usr usr/bin/linux.uml usr/lib/uml usr/lib/python3* opt/ipvsload opt/ipvsload/lib/*/*/*"
    sizes = f"cd / && for part in {parts}; do du -sm $part; done | sort -rn | head -12"
    subprocess.run([*engine, "run", "--rm", "--entrypoint", "sh", IMAGE, "-c", sizes], check=True)


if __name__ == "__main__":
    main()
