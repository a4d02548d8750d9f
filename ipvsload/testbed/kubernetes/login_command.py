"""The command that a kubeconfig's user logs in with (an exec plugin), and its words in a failure.

kubernetes.io/docs/reference/access-authn-authz/authentication, "client-go credential
plugins": it prints an ExecCredential. The client library hides what goes wrong with it
and goes on without credentials; kubectl shows it, with the installHint, and so does this.
"""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ipvsload.errors import TestbedError

LOGIN_WITHIN = 60.0
"""Seconds for a command that asks nobody."""
_PERSON_WITHIN = 300.0
"""The same where a person may have to log in, in a browser perhaps."""
_CONFIG = "client.authentication.k8s.io/exec"
"""The cluster's extension that is meant for the command."""


class LoginError(TestbedError):
    """The command gave no credentials."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What the command printed; "" is what it left out. `expires` is unix time."""

    token: str
    certificate: str
    key: str
    expires: float | None


class LoginCommand:
    """The `exec` of a user in a kubeconfig; a relative command is one in `directory`.

    Raises LoginError for a section that cannot be right. `user` and `where` are
    for its messages.
    """

    def __init__(
        self, section: Any, cluster: dict[str, Any], directory: Path, user: str, where: str
    ) -> None:
        self._who = f"kubeconfig {where}: the login command of user {user}"
        if not isinstance(section, dict) or not all(
            isinstance(section.get(key), str) for key in ("command", "apiVersion")
        ):
            raise LoginError(f"{self._who} needs `command` and `apiVersion`, both words")
        self._section = section
        command = section["command"]
        if "/" in command:
            command = str(directory / command)
        self._argv = [command, *map(str, section.get("args") or [])]
        self._cluster = cluster if section.get("provideClusterInfo") else None

    def run(self) -> Credential:
        """Log in. Raises LoginError with the command, its words and its installHint."""
        # It may ask a person, who must then see its words at once.
        person = sys.stdin.isatty() and sys.stderr.isatty()
        within = _PERSON_WITHIN if person else LOGIN_WITHIN
        try:
            done = subprocess.run(
                self._argv,
                stdin=None if person else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if person else subprocess.PIPE,
                env=self._environment(person),
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._fault(f"did not end within {within:.0f} s", error.stderr) from None
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            problem = "is not there" if missing else f"cannot be started: {error.strerror}"
            raise self._fault(problem) from None
        if done.returncode:
            raise self._fault(f"ended with status {done.returncode}", done.stderr)
        return self._read(done.stdout, done.stderr)

    def _read(self, printed: bytes, said: bytes | None) -> Credential:
        version = self._section["apiVersion"]
        text = printed.decode(errors="replace").strip()
        try:
            value = json.loads(text)
        except ValueError:
            shown = repr(text[:100]) if text else "nothing"
            raise self._fault(f"printed {shown}, which is no ExecCredential", said) from None
        status = value.get("status") if isinstance(value, dict) else None
        if not isinstance(status, dict) or value.get("kind") != "ExecCredential":
            raise self._fault("printed JSON that is no ExecCredential with a status", said)
        if value.get("apiVersion") != version:
            words = f"answered in version {value.get('apiVersion')}, and {version} is configured"
            raise self._fault(words, said)
        token, certificate, key = (
            str(status.get(name) or "")
            for name in ("token", "clientCertificateData", "clientKeyData")
        )
        if not token and not (certificate and key):
            raise self._fault("printed neither a token nor a certificate with its key", said)
        try:
            expires = _unix(status.get("expirationTimestamp"))
        except ValueError:
            words = f"printed {status['expirationTimestamp']!r}, which is no time, as its end"
            raise self._fault(words, said) from None
        return Credential(token, certificate, key, expires)

    def _environment(self, person: bool) -> dict[str, str]:
        given = {
            str(one["name"]): str(one.get("value", ""))
            for one in self._section.get("env") or []
            if isinstance(one, dict) and "name" in one
        }
        spec: dict[str, Any] = {"interactive": person}
        if self._cluster is not None:
            kept = {key: one for key, one in self._cluster.items() if key != "extensions"}
            for extension in self._cluster.get("extensions") or []:
                if extension.get("name") == _CONFIG:
                    kept["config"] = extension.get("extension")
            spec["cluster"] = kept
        info = {
            "apiVersion": self._section["apiVersion"], "kind": "ExecCredential", "spec": spec
        }  # fmt: skip
        return {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _fault(self, problem: str, said: bytes | None = None) -> LoginError:
        words = " / ".join((said or b"").decode(errors="replace").split("\n")).strip(" /")
        text = f"{self._who} {problem}: {shlex.join(self._argv)}"
        if words:
            text += f"; it says: {words[-500:]}"
        hint = " ".join(str(self._section.get("installHint") or "").split())
        return LoginError(f"{text}; its hint: {hint}" if hint else text)


def _unix(text: Any) -> float | None:
    if text is None:
        return None
    found = datetime.fromisoformat(str(text))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
