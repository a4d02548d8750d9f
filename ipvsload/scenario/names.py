"""The words and limits that both the file's types and the expressions know.

They are not in model.py, because expressions need them and the model needs
expressions.
"""

from typing import TYPE_CHECKING, Literal

from ipvsload.ipvs.schedulers import SCHEDULERS

SECTIONS = (*SCHEDULERS, "all", "compare")
"""Where expectations may stand."""
if TYPE_CHECKING:
    SchedulerName = str
    Section = str
else:  # from the registry, which a type checker cannot read
    SchedulerName = Literal[tuple(SCHEDULERS)]
    Section = Literal[SECTIONS]
MAX_SERVERS = 1000
MAX_CLIENTS = 100
MAX_USERS = 10_000
MAX_WEIGHT = 65_535
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
