"""Kubeconfigs as people have them: what is wrong is said, with the file's name; none goes on."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.kubernetes import login_command
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.kubeconfig_files import choose_context
from tests.kubernetes.test_bad_input import play
from tests.kubernetes.toy import Toy

V1 = "client.authentication.k8s.io/v1"


def config(server: str = "http://127.0.0.1:1", **changes: Any) -> dict[str, Any]:
    """One context with a token, and some keys changed."""
    made = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    return made | changes


def user(**body: Any) -> dict[str, Any]:
    return {"users": [{"name": "u", "user": body}]}


def cluster(body: Any) -> dict[str, Any]:
    return {"clusters": [{"name": "k", "cluster": body}]}


def login(*argv: str, **more: Any) -> dict[str, Any]:
    body = {"command": argv[0], "args": list(argv[1:]), "apiVersion": V1, **more}
    return user(exec=body)


def printing(status: object, **more: Any) -> dict[str, Any]:
    """A login command that prints an ExecCredential with this status."""
    value = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    return login(sys.executable, "-c", f"print({json.dumps(value)!r})", **more)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a kubeconfig, which is the environment's from then on."""

    def write(value: Any, name: str = "config") -> Path:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else yaml.safe_dump(value))
        monkeypatch.setenv("KUBECONFIG", str(path))
        return path

    return write


HINT = {"installHint": "Install it with:\n  brew install it"}
LOGINS: list[tuple[dict[str, Any], str]] = [
    (
        login("no-such-login", "--now", **HINT),
        "of user u is not there: no-such-login --now; its hint: Install it with: brew install it",
    ),
    (
        login("sh", "-c", "echo expired >&2; exit 3", **HINT),
        r"ended with status 3: sh -c .*; it says: expired; its hint: Install",
    ),
    (login("echo", "rubbish"), "printed 'rubbish', which is no ExecCredential: echo rubbish"),
    (login("true"), "printed nothing, which is no ExecCredential"),
    (login("echo", "[1]"), "printed JSON that is no ExecCredential"),
    (printing({}), "printed neither a token nor a certificate"),
    (printing({"token": "t", "expirationTimestamp": "soon"}), "'soon', which is no time"),
    (printing({"token": "t"}, apiVersion="other/v9"), "answered in version .*/v1, and other/v9"),
    (user(exec={"command": "x"}), "needs `command` and `apiVersion`"),
    (user(**{"auth-provider": {"name": "azure"}}), "auth-provider azure that is unknown"),
    (user(username="ada"), r"no credentials that can be used \(username\)"),
    (user(tokenFile="no-such-file"), "No such file .*no-such-file"),
    (user(**{"token": "t", "as": "admin"}), "acts as another"),
    ({"users": []}, "context c names user u, and there is none of that .*; users there: none"),
    ({"users": None}, "context c names user u"),
    ({"users": {"u": {}}}, "`users` must be a list, and is a mapping"),
    ({"users": [{"user": {}}]}, "entry 1 of `users` has no name"),
    ({"users": [{"name": "u", "user": "token"}]}, "user u in `users` must be a mapping"),
]
FILES: list[tuple[dict[str, Any], str]] = [
    ({"clusters": [{"name": "other"}]}, "names cluster k, .*; clusters there: other"),
    ({"contexts": [{"name": "c", "context": {"user": "u"}}]}, r"names cluster \(none\)"),
    (cluster({}), "the `server` of cluster k is missing"),
    (cluster(None), "the `server` of cluster k is missing"),
    (cluster({"server": "10.0.0.1:6443"}), "'10.0.0.1:6443', not a URL"),
    ({"current-context": "x"}, "its current-context is x, and there is no such context, but c"),
    ({"current-context": None}, "no current context is set; choose one with --context: c"),
]
WHOLE: list[tuple[Any, str]] = [
    ([1, 2], "it is not a kubeconfig but a list"),
    ("just words", "it is not a kubeconfig but 'just words'"),
    ("a: [", "it is not YAML: .* at line 1, column 5"),
    ("a: !!bool x", "it is not YAML"),
    ("", "no current context is set"),
]


@pytest.mark.parametrize(
    ("value", "words"), [(config() | part, words) for part, words in LOGINS + FILES] + WHOLE
)
def test_what_is_wrong_is_said_with_the_file(written: Any, value: Any, words: str) -> None:
    path = written(value)
    with pytest.raises(TestbedError, match=words) as caught:
        connect()
    assert str(path) in str(caught.value)


def test_a_run_ends_with_status_3_and_asks_nothing(toy: Toy, tmp_path: Path) -> None:
    broken = config(toy.cluster.url, **login("no-such-login", installHint="get it"))
    done = play(tmp_path, json.dumps(broken))
    assert done.returncode == 3
    assert "no-such-login; its hint: get it" in done.stderr
    assert toy.cluster.requests == []


def test_a_user_without_a_home_has_no_kubeconfig_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(TestbedError, match=r"there is no kubeconfig: ~/\.kube/config does not"):
        connect()


def test_a_login_that_never_ends(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_command, "LOGIN_WITHIN", 0.2)
    written(config(**login("sleep", "60")))
    with pytest.raises(TestbedError, match=r"did not end within .*: sleep 60"):
        connect()


def test_a_context_whose_name_is_a_number(toy: Toy, written: Any) -> None:
    value = config(toy.cluster.url, **{"current-context": 123})
    value["contexts"][0]["name"] = 123
    written(value)
    assert str(connect()).startswith("context 123,")
    assert connect("123").version() == "v1.33.1"
    with pytest.raises(UsageError, match=r"--context 124: .* knows 123"):
        connect("124")


def test_without_a_user_it_is_nobody(toy: Toy, written: Any) -> None:
    """As with `kubectl proxy`: no credentials are wanted there, and none are given."""
    written(config(toy.cluster.url, contexts=[{"name": "c", "context": {"cluster": "k"}}]))
    assert connect().version() == "v1.33.1"
    written(config(toy.cluster.url, **user()))
    assert connect().version() == "v1.33.1"


def test_several_files_are_merged_as_kubectl_does(
    toy: Toy, written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first wins; empty ones and those that are not there do not count."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text("secret")
    files = [
        written("", "empty"),
        tmp_path / "not-there",
        written({"current-context": "c"} | user(tokenFile="token"), "secrets/one"),
        written(config(toy.cluster.url) | {"current-context": "x"} | user(token="wrong"), "two"),
    ]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, files)))
    chosen = choose_context([file for file in files if file.exists()], "")
    assert chosen.name == "c"
    assert chosen.user == {"tokenFile": str(tmp_path / "secrets" / "token")}
    assert connect().version() == "v1.33.1"
    # The fault is in the second, and said of it.
    files[3] = written(config(**cluster({})), "three")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, files)))
    with pytest.raises(TestbedError, match=r"kubeconfig .*/three: the `server` of cluster k"):
        connect()


def test_a_login_that_works_and_is_renewed(toy: Toy, written: Any, tmp_path: Path) -> None:
    """With a relative command, its environment, and what it is told of the cluster."""
    script = tmp_path / "login"
    script.write_text(
        f"""#!{sys.executable}
import json, os, pathlib, time
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert info["spec"]["cluster"]["server"].startswith("http://"), info
count = pathlib.Path({str(tmp_path / "count")!r})
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
if number == 3:
    raise SystemExit("come back later")
end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
status = {{"token": os.environ["NAME"] + str(number), "expirationTimestamp": end}}
print(json.dumps({{"apiVersion": {V1!r}, "kind": "ExecCredential", "status": status}}))
"""
    )
    script.chmod(0o755)
    given = {"env": [{"name": "NAME", "value": "token-"}], "provideClusterInfo": True}
    written(config(toy.cluster.url, **login("./login", **given)))
    api = connect()
    settings = api._client.configuration
    hook = settings.refresh_api_key_hook
    assert api.version() == "v1.33.1"
    assert settings.api_key["BearerToken"] == "Bearer token-1"
    hook._due = 0.0
    assert api.version() == "v1.33.1"
    assert settings.api_key["BearerToken"] == "Bearer token-2"
    # The third fails, while the second token still holds.
    hook._due = 0.0
    assert api.version() == "v1.33.1"
    assert settings.api_key["BearerToken"] == "Bearer token-2"
    assert hook._due > time.time()
    # And once more, when that has ended: no more requests without a login.
    (tmp_path / "count").write_text("2")
    hook._due = 0.0
    hook._login = login_command.Credential("x", "", "", time.time() - 1)
    asked = len(toy.cluster.requests)
    with pytest.raises(TestbedError, match=r"ended with status 1: .*it says: come back later"):
        api.version()
    assert len(toy.cluster.requests) == asked


def test_a_certificate_of_a_login(written: Any) -> None:
    status = {"clientCertificateData": "CERT", "clientKeyData": "KEY"}
    written(config(server="https://127.0.0.1:1", **printing(status)))
    settings = connect()._client.configuration
    assert Path(settings.cert_file).read_text() == "CERT"
    assert Path(settings.key_file).read_text() == "KEY"
