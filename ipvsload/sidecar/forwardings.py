"""How real servers are reached, out of /proc/net/ip_vs; samples do not tell it."""

_TABLE = "/proc/net/ip_vs"
_PAST = " Route ", " Tunnel "


def read_forwardings() -> dict[str, str]:
    """By the key of each service, as procfs.forwardings_of has it.

    Empty where all servers are masqueraded, or the table cannot be read.
    """
    try:
        with open(_TABLE) as file:
            text = file.read()
    except OSError:
        return {}
    if not any(word in text for word in _PAST):  # as nearly always: no work each second
        return {}
    from ipvsload.ipvs.procfs import forwardings_of

    return forwardings_of(text)
