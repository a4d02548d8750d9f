"""How the lab's kernel counts finished connections under lc and its kin, asked once a build.

`lc_law_probe.py` asks in the director. The answer is kept in the user's cache directory
under the build that the director names (/proc/version has release, builder and date): it
cannot change before another kernel is booted. A cache that cannot be read or written is as
good as none.
"""

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.lab.director_client import DirectorClient
from ipvsload.user_files import user_cache

ASKING = "asking the kernel how it counts finished connections ..."


def lc_law(control: DirectorClient, tell: Tell) -> int | None:
    """How much an active connection counts beside a finished one (LC_LAWS); None: not known."""
    try:
        build: str = control.ask("kernel_build")
        kept = _place(build)
        if (law := _read(kept, build)) is None:
            tell(ASKING)
            law = control.ask("lc_law")
            if law is not None and kept is not None:
                _write(kept, build, law)
    except TestbedError as error:  # its scheduler may be missing
        tell(f"how the kernel counts finished connections is not known: {error}")
        return None
    return law


def _place(build: str) -> Path | None:
    cache = user_cache()
    return cache and cache / "kernels" / f"{sha256(build.encode()).hexdigest()[:16]}.json"


def _read(place: Path | None, build: str) -> int | None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        if place is not None:
            kept = json.loads(place.read_text())
            if kept["build"] == build and type(kept["lc_law"]) is int:
                law: int = kept["lc_law"]
                return law
    return None


def _write(place: Path, build: str, law: int) -> None:
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        # Others may read or write it meanwhile.
        whole = place.with_suffix(f".{os.getpid()}")
        whole.write_text(json.dumps({"build": build, "lc_law": law}) + "\n")
        whole.replace(place)
