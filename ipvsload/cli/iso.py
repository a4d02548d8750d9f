"""`ipvsload iso`: the director's image, what a kernel has of IPVS, and minikube's images."""

from pathlib import Path

import click

from ipvsload.cli.terminal import say
from ipvsload.director_image import ARCHITECTURES, SUITE


@click.group()
def iso() -> None:
    """Kernels of machines and images: what IPVS needs of them."""


@iso.command()
@click.option("--suite", default=SUITE, show_default=True, help="The release of Debian in it.")
@click.option(
    "--arch",
    type=click.Choice(ARCHITECTURES),
    help="For which processors, as Debian calls them. Default: this machine's.",
)
def build(suite: str, arch: str | None) -> int:
    """Build the director's image, for `--kernel qemu` and as a CD.

    It is put among your data (in a checkout: into build/) when all of it is there, in place of
    the one before. Needs Debian or Ubuntu, not root; what is missing is named.
    """
    from ipvsload.iso.image_build import build_image

    click.echo(build_image(suite, arch, say))
    return 0


@iso.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
def check(target: Path | None) -> int:
    """Say which schedulers, ipset types and devices a kernel has and lacks, and why each.

    TARGET is a kernel's configuration (also .gz) or an image (ISO, squashfs,
    initramfs); without it, the kernel that runs here: on a node, the node's.

    \b
    Exit status: 0 what kube-proxy's IPVS mode needs is there, 1 something of it
    is not.
    """
    from ipvsload.iso import inspect
    from ipvsload.iso.kernel import check_features, describe, supports_kube_proxy

    kernel = inspect.file(target) if target else inspect.this_machine()
    checks = check_features(kernel)
    click.echo(describe(kernel, checks), nl=False)
    return 0 if supports_kube_proxy(checks) else 1


@iso.command()
@click.argument("checkout", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Change the defconfigs; without it, only show.")
def minikube(checkout: Path, write: bool) -> int:
    """Add what IPVS lacks to the kernels of a minikube CHECKOUT.

    Shows the difference for each kernel, and with --write makes it; then how to
    build the image and start a cluster on it. Run again after the build, it
    checks that the kernel that was built has every option.
    """
    from ipvsload.iso.minikube import prepare_checkout

    return prepare_checkout(checkout, write, click.echo)
