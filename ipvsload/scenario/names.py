"""The words and limits that both the file's types and the expressions know.

They are not in model.py, because expressions need them and the model needs
expressions.
"""

from typing import TYPE_CHECKING, Literal

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.balancers import BALANCERS

OTHER_SECTIONS = ("all", "compare")
"""Where expectations may stand besides under a label."""
if TYPE_CHECKING:
    BalancerName = str
    ForwardingName = str
    SchedulerName = str
else:  # from the registry, which a type checker cannot read
    BalancerName = Literal[tuple(BALANCERS)]
    ForwardingName = Literal[tuple(FORWARDINGS)]
    SchedulerName = Literal[tuple(SCHEDULERS)]
MAX_SERVERS = 1000
MAX_CLIENTS = 100
MAX_DIRECTORS = 16
Spread = Literal["client", "connection", "random"]
"""Which director a connection goes through: always the one of its client's address, the next
in turn, or any."""
Family = Literal["ipv4", "ipv6"]
"""Of the addresses of clients, of the virtual service and of the real servers."""
MAX_USERS = 100_000
MAX_WEIGHT = 65_535
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
MAX_LABEL = 64
LABEL_PATTERN = rf"^[A-Za-z0-9_][A-Za-z0-9_-]{{0,{MAX_LABEL - 1}}}$"
