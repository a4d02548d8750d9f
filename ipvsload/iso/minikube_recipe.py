"""What `ipvsload iso minikube` does: show, change and check a checkout, and say what is next."""

from collections.abc import Callable
from pathlib import Path

from ipvsload.errors import UsageError
from ipvsload.iso import defconfig, minikube
from ipvsload.iso.minikube import Board


def prepare_checkout(checkout: Path, write: bool, say: Callable[[str], object]) -> int:
    """Add what IPVS lacks to each kernel of the checkout; only show it without `write`.

    Returns 1 if a kernel that was built lacks an option, else 0. Raises UsageError
    when it is no minikube checkout or cannot be written.
    """
    try:
        boards = minikube.boards(checkout)
        if minikube.ignores_case(checkout):
            say(
                f"WARNING: {checkout} is on a file system that takes names which differ only in "
                "case for one; buildroot cannot build there. Put the checkout on another."
            )
        return max(_prepare_kernel(checkout, board, write, say) for board in boards)
    except OSError as error:
        raise UsageError(f"{error.filename or checkout}: {error.strerror}") from error


def _prepare_kernel(checkout: Path, board: Board, write: bool, say: Callable[[str], object]) -> int:
    before, buildroot = board.defconfig.read_text(), board.buildroot.read_text()
    release = minikube.release(buildroot)
    name = str(board.defconfig.relative_to(checkout))
    say(f"{board.arch}: Linux {release or 'of unknown version'}, {name}")
    built = minikube.built_kernels(checkout, board)
    for warning in minikube.mismatches(buildroot, before, list(built)):
        say(f"WARNING: {warning}")
    lacking = defconfig.lacking(before, release)
    status = 0
    if not lacking:
        say("nothing is missing for IPVS")
        if release in built:
            status = _check_built(built[release], say)
    else:
        after = defconfig.add(before, lacking)
        say(defconfig.diff(before, after, name))
        for feature in lacking:
            say(f"  {feature.name}: {feature.why}")
        if write:
            board.defconfig.write_text(after)
            _check_written(board.defconfig, release)
            say("written")
        else:
            say("nothing was changed; to change it: ipvsload iso minikube --write CHECKOUT")
            return 0
    say("build the image and start a cluster on it:")
    for command in minikube.commands(checkout, board):
        say(f"  {command}")
    return status


def _check_written(path: Path, release: str) -> None:
    lost = defconfig.lacking(path.read_text(), release)
    if lost:
        raise UsageError(f"{path}: not set after all: {', '.join(one.option for one in lost)}")


def _check_built(path: Path, say: Callable[[str], object]) -> int:
    """Return 1 if the kernel that was built lacks options, else 0.

    The build drops an option without a word where its dependencies are not met.
    """
    lost = defconfig.dropped(path.read_text())
    for feature in lost:
        wants = ", ".join(f"CONFIG_{option}" for option in feature.depends_on)
        say(f"DROPPED by the build: CONFIG_{feature.option} ({feature.name}); it needs {wants}")
    if not lost:
        say(f"the kernel that was built has them all: {path}")
    return 1 if lost else 0
