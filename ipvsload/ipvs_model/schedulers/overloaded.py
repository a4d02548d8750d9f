"""When lblc and lblcr leave the server that an address had before."""

from ipvsload.ipvs_model.server_list import ServerList


def is_overloaded(servers: ServerList, number: int) -> bool:
    """Whether it has more active connections than its weight, and another less than half of that.

    As is_overloaded in ip_vs_lblc.c and in ip_vs_lblcr.c, which are alike.
    """
    place = servers.place(number)
    if servers.active[place] <= servers.weights[place]:
        return False
    return bool((servers.active * 2 < servers.weights).any())
