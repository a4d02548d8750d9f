"""What can be the lab's director: one file a kernel provider, found by listing this folder.

The file's name is the provider's. The files are not imported here, because a
command line must know their names at its start; `providers.py` imports them.
"""

from pathlib import Path

AUTO = "auto"
"""Stands for all of them: the first that works is taken, in the order of their ranks."""
_OTHERS = {"__init__", "base", "providers"}
NAMES = tuple(sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - _OTHERS))
CHOICES = (AUTO, *NAMES)
"""What a person may ask for."""
