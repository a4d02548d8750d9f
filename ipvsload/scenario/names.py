"""The words and limits that both the file's types and the expressions know.

Apart from model.py, because expressions need them and the model needs
expressions.
"""

from typing import Literal, get_args

Scheduler = Literal[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"
]
SCHEDULERS: tuple[str, ...] = get_args(Scheduler)
MAX_SERVERS = 1000
MAX_USERS = 10_000
MAX_WEIGHT = 65_535
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
