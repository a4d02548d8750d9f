"""The program's own objects, which Python's cycle collector need not look at.

It looks through all objects now and then, and everything waits for tens of milliseconds.
Nearly all of them are the program's own: made when it is imported, and there until it ends.
"""

import functools
import gc
import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager

_apart = False


def set_apart() -> None:
    """Have the collector look at nothing any more that is there now; a second call collects only.

    What a run makes goes with it, so this is called before its first objects are made.
    """
    global _apart
    gc.collect()
    if not _apart:
        gc.freeze()
        _apart = True


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import much here: no collection looks at it, now or later.

    Nor are the installed packages' plugins read again for each module that gevent patches
    (gevent/events.py, notify_and_call_entry_points): 3 ms, thirty times.
    """
    read_anew = importlib.metadata.entry_points
    was_on = gc.isenabled()
    gc.disable()
    try:
        setattr(importlib.metadata, read_anew.__name__, functools.cache(read_anew))
        yield
    finally:
        setattr(importlib.metadata, read_anew.__name__, read_anew)
        gc.freeze()
        if was_on:
            gc.enable()
