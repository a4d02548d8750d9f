"""Minikube checkouts in the shape of the real ones, as far as the recipe reads them."""

from pathlib import Path

ISO = "deploy/iso/minikube-iso"

X86_64 = """\
CONFIG_NET=y
CONFIG_NETFILTER=y
CONFIG_NF_CONNTRACK=m
CONFIG_NETFILTER_XT_SET=m
CONFIG_NETFILTER_XT_TARGET_MARK=m
CONFIG_NETFILTER_XT_MATCH_ADDRTYPE=m
CONFIG_NETFILTER_XT_MATCH_COMMENT=m
CONFIG_NETFILTER_XT_MATCH_CONNTRACK=m
CONFIG_IP_SET=y
CONFIG_IP_SET_BITMAP_PORT=m
CONFIG_IP_SET_HASH_IP=m
CONFIG_IP_SET_HASH_IPPORT=m
CONFIG_IP_SET_HASH_IPPORTIP=m
CONFIG_IP_SET_HASH_IPPORTNET=m
CONFIG_IP_SET_HASH_NET=m
CONFIG_IP_VS=m
CONFIG_IP_VS_IPV6=y
CONFIG_IP_VS_PROTO_TCP=y
CONFIG_IP_VS_PROTO_UDP=y
CONFIG_IP_VS_RR=m
CONFIG_IP_VS_WRR=m
CONFIG_IP_VS_LC=m
CONFIG_IP_VS_WLC=m
CONFIG_IP_VS_FO=m
CONFIG_IP_VS_OVF=m
CONFIG_IP_VS_LBLC=m
CONFIG_IP_VS_LBLCR=m
CONFIG_IP_VS_DH=m
CONFIG_IP_VS_SH=m
CONFIG_IP_VS_SED=m
CONFIG_IP_VS_NQ=m
CONFIG_IP_VS_NFCT=y
CONFIG_IP_NF_IPTABLES=y
# CONFIG_WIRELESS is not set
CONFIG_NETDEVICES=y
CONFIG_DUMMY=m
CONFIG_MACVLAN=y
"""
AARCH64 = X86_64.replace("CONFIG_DUMMY=m\n", "")
OLD = "".join(
    line
    for line in X86_64.splitlines(keepends=True)
    if not line.startswith(("CONFIG_IP_SET_BITMAP", "CONFIG_IP_SET_HASH_IPPORT"))
)


def buildroot(release: str, headers: str = "") -> str:
    """Buildroot's configuration, as far as it names kernels; headers such as 6_6."""
    named = f"BR2_PACKAGE_HOST_LINUX_HEADERS_CUSTOM_{headers}=y\n" if headers else ""
    return (
        f"BR2_x86_64=y\n{named}BR2_LINUX_KERNEL=y\n"
        f'BR2_LINUX_KERNEL_CUSTOM_VERSION_VALUE="{release}"\n'
    )


def today(place: Path, release: str = "6.6.95", headers: str = "6_6") -> Path:
    """Two boards, since 1.26."""
    for arch, text in (("x86_64", X86_64), ("aarch64", AARCH64)):
        _write(place, f"board/minikube/{arch}/linux_{arch}_defconfig", text)
        _write(place, f"configs/minikube_{arch}_defconfig", buildroot(release, headers))
    return place


def of_028(place: Path) -> Path:
    """One board; kernel 4.16."""
    _write(place, "board/coreos/minikube/linux_defconfig", OLD)
    _write(place, "configs/minikube_defconfig", buildroot("4.16.14"))
    return place


def defconfig(place: Path, arch: str) -> Path:
    """Where today's tree has it."""
    return place / ISO / f"board/minikube/{arch}/linux_{arch}_defconfig"


def built(place: Path, text: str, release: str = "6.6.95", output: str = "output-x86_64") -> Path:
    """A kernel that buildroot has built, with `text` as its .config."""
    path = place / "out/buildroot" / output / "build" / f"linux-{release}" / ".config"
    path.parent.mkdir(parents=True)
    path.write_text(f"#\n# Linux/x86 {release} Kernel Configuration\n#\n{text}")
    return path


def _write(place: Path, name: str, text: str) -> None:
    path = place / ISO / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
