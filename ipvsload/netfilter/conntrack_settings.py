"""How connections are tracked: the limit of the table, and how long each state is remembered.

The files belong to the network namespace of whoever reads them.
"""

from contextlib import suppress

_MAX = 131_072
_DIRECTORY = "/proc/sys/net/netfilter"
_TIMEOUT = "nf_conntrack_tcp_timeout_"
_SETTINGS = (
    *("nf_conntrack_max", "nf_conntrack_buckets", "nf_conntrack_tcp_be_liberal"),
    *(
        f"{_TIMEOUT}{state}"
        for state in (
            *("syn_sent", "syn_recv", "established", "fin_wait"),
            *("close_wait", "last_ack", "time_wait", "close"),
        )
    ),
)
_AS_ON_A_NODE = {
    "nf_conntrack_max": _MAX,
    f"{_TIMEOUT}established": 86_400,
    f"{_TIMEOUT}close_wait": 3_600,
}
"""As kube-proxy sets them (cmd/kube-proxy/app/server_linux.go, setupConntrack;
pkg/proxy/apis/config/v1alpha1/defaults.go: 32,768 for each processor and 131,072 at least)."""
_BUCKETS = "/sys/module/nf_conntrack/parameters/hashsize"


def read_conntrack_settings() -> dict[str, int | str]:
    """Those that decide something, by name; timeouts in seconds. Empty where nothing is tracked."""
    found: dict[str, int | str] = {}
    for name in _SETTINGS:
        with suppress(OSError, ValueError), open(f"{_DIRECTORY}/{name}") as file:
            found[name] = int(file.read())
    return found


def set_as_on_a_node() -> None:
    """Set the limit and timeouts as kube-proxy does; where that is not permitted they stay.

    Of all network namespaces only the first may change the limit.
    """
    with suppress(OSError), open(_BUCKETS, "r+") as file:
        if int(file.read()) < _MAX // 4:
            file.seek(0)
            file.write(str(_MAX // 4))
    for name, value in _AS_ON_A_NODE.items():
        with suppress(OSError), open(f"{_DIRECTORY}/{name}", "w") as file:
            file.write(str(value))
