"""What kubeconfig files say, merged as kubectl merges them, and what is wrong with them.

The client library takes a context that names a user who is not there for one
without a user, and goes on without credentials; what the cluster says then
("forbidden") leads people the wrong way. So the files are read here, and the
library is given one cluster and one user that are there.

Several files: the first to set something wins, and files that are not there do
not count (kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.kubernetes.yaml_text import NotYamlError, load_yaml

_PATHS = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}
"""What is relative to the file that it stands in."""


@dataclass(frozen=True, slots=True)
class ChosenContext:
    """A context's cluster and user, as they stand in the files; paths are absolute.

    `user` is None where the context names none. `cluster_name` and `user_name` are
    what the context calls them, `directory` is that of the file with the user.
    """

    name: str
    cluster_name: str
    cluster: dict[str, Any]
    user_name: str
    user: dict[str, Any] | None
    directory: Path


@dataclass(frozen=True, slots=True)
class _FileEntry:
    file: Path
    value: Any


def choose_context(files: Iterable[Path], wanted: str) -> ChosenContext:
    """Read the files and take the wanted context; the current one where that is "".

    Raises UsageError for an unknown one, TestbedError with the file's name for
    what is wrong in it.
    """
    found: dict[str, dict[str, _FileEntry]] = {"contexts": {}, "clusters": {}, "users": {}}
    current = _FileEntry(Path(), "")
    read = list(files)
    for file in read:
        value = _load(file)
        for section, entries in found.items():
            for name, body in _named(file, section, value.get(section)):
                entries.setdefault(name, _FileEntry(file, body))
        if current.value == "" and value.get("current-context") is not None:
            current = _FileEntry(file, str(value["current-context"]))
    where = ", ".join(map(str, read))
    known = ", ".join(found["contexts"]) or "none"
    name = wanted or current.value
    if wanted and wanted not in found["contexts"]:
        raise UsageError(f"--context {wanted}: {where} knows {known}")
    if not name:
        raise _fault(where, f"no current context is set; choose one with --context: {known}")
    if name not in found["contexts"]:
        words = f"its current-context is {name}, and there is no such context, but {known}"
        raise _fault(current.file, words)
    context = found["contexts"][name]
    parts = {}
    for part, section in (("cluster", "clusters"), ("user", "users")):
        called = context.value.get(part)
        if called is None and part == "user":
            parts[part] = ("", _FileEntry(context.file, None))
            continue
        called = "" if called is None else str(called)
        if called not in found[section]:
            others = ", ".join(found[section]) or "none"
            words = f"context {name} names {part} {called or '(none)'}, and there is none of that"
            raise _fault(context.file, f"{words} name in {where}; {section} there: {others}")
        parts[part] = (called, found[section][called])
    (cluster_name, cluster), (user_name, user) = parts["cluster"], parts["user"]
    server = cluster.value.get("server")
    if not isinstance(server, str) or not server.startswith(("http://", "https://")):
        words = f"is {server!r}, not a URL" if server else "is missing"
        raise _fault(cluster.file, f"the `server` of cluster {cluster_name} {words}")
    return ChosenContext(
        name, cluster_name, cluster.value, user_name, user.value, user.file.absolute().parent
    )


def _load(file: Path) -> dict[str, Any]:
    try:
        value = load_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _fault(file, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _fault(file, "it is not YAML: it cannot be parsed") from None
    except NotYamlError as error:
        raise _fault(file, f"it is not YAML: {error}") from None
    if value is None:
        return {}  # an empty one, which is none
    if not isinstance(value, dict):
        raise _fault(file, f"it is not a kubeconfig but {_kind(value)}")
    return value


def _named(file: Path, section: str, entries: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    """The entries of a section by name; their inner part, with absolute paths."""
    inner = section.removesuffix("s")
    if entries is not None and not isinstance(entries, list):
        raise _fault(file, f"`{section}` must be a list, and is {_kind(entries)}")
    for number, entry in enumerate(entries or [], 1):
        if not isinstance(entry, dict) or entry.get("name") is None:
            raise _fault(file, f"entry {number} of `{section}` has no name")
        body = entry.get(inner)
        if body is None:
            body = {}
        if not isinstance(body, dict):
            words = f"{inner} {entry['name']} in `{section}` must be a mapping, and is"
            raise _fault(file, f"{words} {_kind(body)}")
        paths = {
            key: str(file.absolute().parent / str(body[key]))
            for key in _PATHS.get(section, ())
            if body.get(key)
        }
        yield str(entry["name"]), {**body, **paths}


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else repr(value)[:60]


def _fault(file: object, words: str) -> TestbedError:
    return TestbedError(f"kubeconfig {file}: {words}")
