"""A cluster's nodes inside the lab's director: network namespaces of its kernel.

Each has an address towards the clients and one towards the real servers, and,
since IPVS and netfilter are per network namespace, tables of its own. The lab's
own virtual service stays in the director's first namespace, so a node begins
empty. Programs get there with `ipvsload lab exec`, and files that the director
does not see (it may be a virtual machine) through the same door.
"""

import contextlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from ipvsload.testbed.lab import topology
from ipvsload.testbed.lab.topology import Director

_EXEC = [sys.executable, "-m", "ipvsload", "lab", "exec", "--"]
PLACE = "/run/cluster"
"""Where files are in the director."""
MODULES = (
    # What kube-proxy asks for in any of its modes (pkg/proxy/*/README.md, and what failed).
    "macvlan dummy ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh ip_vs_lc nf_conntrack ip_set"
    " ip_set_hash_ip ip_set_hash_ipport ip_set_hash_ipportip ip_set_hash_ipportnet"
    " ip_set_hash_net ip_set_bitmap_port xt_set xt_comment xt_mark xt_addrtype"
    " xt_conntrack xt_ipvs xt_statistic xt_MASQUERADE xt_nat xt_tcpudp iptable_nat iptable_filter"
    " iptable_mangle ip6table_nat ip6table_filter ip6table_mangle ip6t_MASQUERADE"
    " nf_tables nft_compat nft_chain_nat nft_nat nft_masq nft_ct nft_fib_inet nft_fib_ipv4"
    " nft_fib_ipv6 nft_numgen nft_hash nft_limit nft_reject_inet nft_reject_ipv4"
    " nft_reject_ipv6"
)
_SET_UP = """\
set -e
set -- $(ip -o -4 addr show to {first.client_side}); client=$2
set -- $(ip -o -4 addr show to {first.server_side}); server=$2
mkdir -p {place}/bin
options=; [ ! -d /run/modules ] || options='-d /run/modules'
modprobe $options -q -a {modules} || :
# User-mode Linux has the older iptables only.
if ! iptables -t nat -N TRY 2> /dev/null || ! iptables -t nat -X TRY; then
    for word in '' -save -restore; do
        ln -s /usr/sbin/iptables-legacy$word {place}/bin/iptables$word
    done
fi
# No address here is of IPv6, and without its half kube-proxy writes its rules in half the time.
for word in '' -save -restore; do ln -s /bin/false {place}/bin/ip6tables$word; done
for node in {nodes}; do
    ip netns add $node
    ip link add link $client name towards-clients netns $node type macvlan mode bridge
    ip link add link $server name towards-pods netns $node type macvlan mode bridge
done
{wiring}
{last}
"""
_WIRE = """\
ip -n {name} -batch - << END
link set lo up
addr add {wires.client_side}/24 dev towards-clients
addr add {wires.server_side}/24 dev towards-pods
link set towards-clients up
link set towards-pods up
END
ip netns exec {name} sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
"""


class DirectorNode(NamedTuple):
    """One node. Its addresses are those that a lab's further directors would have."""

    name: str
    wires: Director

    @property
    def address(self) -> str:
        """Towards the clients: the node's InternalIP."""
        return self.wires.client_side

    def command(self, *words: str) -> list[str]:
        """What runs these words beside the node's tables."""
        # User-mode Linux may not keep AVX registers (testbed/lab/wide_registers.py).
        path = f"PATH={PLACE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        inside = ["ip", "netns", "exec", self.name, "env", path, "GODEBUG=cpu.all=off"]
        return [*_EXEC, *inside, *words]


def make_nodes(count: int, *, frozen: bool) -> list[DirectorNode]:
    """Make `count` nodes in the director. With `frozen` its kernel loads no module any more."""
    made = [DirectorNode(f"node{n}", topology.director(1 + n)) for n in range(1, count + 1)]
    script = _SET_UP.format(
        first=topology.director(1),
        place=PLACE,
        modules=MODULES,
        nodes=" ".join(node.name for node in made),
        wiring="".join(_WIRE.format(name=node.name, wires=node.wires) for node in made),
        last="echo 1 > /proc/sys/kernel/modules_disabled" if frozen else "",
    )
    subprocess.run([*_EXEC, "sh", "-c", script], check=True)
    return made


def carry(directory: Path) -> str:
    """Bring a directory's files into the director; returns their place there."""
    place = f"{PLACE}/{directory.name}"
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        # Of no date: the director's clock may be behind.
        archive.add(directory, arcname=".", filter=lambda info: info.replace(mtime=0))
    script = f"mkdir -p {place} && tar -x -C {place}"
    subprocess.run([*_EXEC, "sh", "-c", script], input=held.getvalue(), check=True)
    return place


def program(path: Path) -> str:
    """Where the director has this program: in the same place, if it sees this machine's files.

    Else as a compressed file system: a virtual machine has little memory.
    """
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run([*_EXEC, "test", "-x", str(path)], check=True)
        return str(path)
    with tempfile.TemporaryDirectory() as directory:
        packed = Path(directory, "packed")
        archive = subprocess.run(
            ["tar", "-C", path.parent, "-c", path.name], check=True, stdout=subprocess.PIPE
        )
        # squashfs-tools-ng, which the director image is made with, too.
        pack = ["tar2sqfs", "--quiet", "--compressor", "zstd", str(packed)]
        subprocess.run(pack, check=True, input=archive.stdout)
        there = f"{PLACE}/programs"
        script = f"cat > {there}.squashfs && mkdir {there} && mount {there}.squashfs {there}"
        with packed.open("rb") as file:
            subprocess.run([*_EXEC, "sh", "-c", script], check=True, stdin=file)
    return f"{there}/{path.name}"
