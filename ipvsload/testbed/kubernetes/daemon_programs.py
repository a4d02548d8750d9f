"""A DaemonSet that runs a program of the cluster: which one, with what words. Pure.

Names, labels and images differ from one distribution to the next; each of them
may be what gives a program away.
"""

from pathlib import PurePosixPath

from ipvsload.testbed.kubernetes.api import Object


def runs(found: Object, program: str) -> bool:
    """Whether a DaemonSet runs this program: by its name, its label, its image or its command."""
    meta = found["metadata"]
    containers = found["spec"]["template"]["spec"]["containers"]
    return (
        program in (meta["name"], (meta.get("labels") or {}).get("k8s-app"))
        or any(_is(container, program) for container in containers)
    )  # fmt: skip


def container_of(found: Object, program: str) -> Object:
    """The container that is the program; others may stand beside it."""
    containers: list[Object] = found["spec"]["template"]["spec"]["containers"]
    return next((one for one in containers if _is(one, program)), containers[0])


def command(container: Object) -> list[str]:
    """The words that a container is started with, as far as they are not its image's."""
    return [str(word) for part in ("command", "args") for word in container.get(part) or []]


def version(container: Object) -> str:
    """Its image's tag; "" where that has none."""
    return _image(container).partition(":")[2]


def selector(found: Object) -> str:
    """What selects a DaemonSet's pods; "" where that is not only labels."""
    labels = found["spec"].get("selector", {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items())


def nodes(found: Object) -> int | None:
    """On how many nodes it is to run; None where its controller has not said so yet."""
    count = (found.get("status") or {}).get("desiredNumberScheduled")
    return None if count is None else int(count)


def _is(container: Object, program: str) -> bool:
    words = (PurePosixPath(word).name for text in command(container) for word in text.split())
    return program in (_image(container).partition(":")[0], *words)


def _image(container: Object) -> str:
    """The last part of an image's name, and its tag, without a digest."""
    return str(container.get("image", "")).partition("@")[0].rpartition("/")[2]
