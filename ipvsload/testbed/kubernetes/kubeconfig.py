"""From a kubeconfig to an API, with a clear line for everything that can go wrong."""

import base64
import os
import threading
import time
from pathlib import Path
from typing import Any

from ipvsload.errors import IpvsloadError, NoTestbedError, TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.kubeconfig_files import ChosenContext, choose_context
from ipvsload.testbed.kubernetes.login_command import Credential, LoginCommand, LoginError

_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
_EARLY = 300.0
"""Seconds before a login's end in which the next one is tried."""
_AGAIN = 20.0
"""Seconds between two tries, while the present login still holds."""


def connect(context: str = "", tell: Tell = lambda _: None) -> Api:
    """Connect to the cluster of a kubeconfig's context; the current one if none is named.

    The files are kubectl's: $KUBECONFIG, else ~/.kube/config; in a pod without
    either, the pod's own account is used. Asks nothing of the cluster yet.
    Raises UsageError for an unknown context, TestbedError for a kubeconfig that
    is missing or broken, or a login that fails.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import load_incluster_config

    configuration = Configuration()
    where = os.environ.get("KUBECONFIG") or "~/.kube/config"
    named = [_expanded(one) for one in where.split(os.pathsep) if one]
    where = os.pathsep.join(map(str, named))
    files = [one for one in named if one.exists()]
    try:
        if not files and _IN_CLUSTER in os.environ and not context:
            load_incluster_config(client_configuration=configuration)
            name = "this cluster"
        elif not files:
            raise NoTestbedError(
                f"there is no kubeconfig: {where} does not exist; start a cluster (minikube"
                " start, kind create cluster) or name its file in KUBECONFIG"
            )
        else:
            chosen = choose_context(files, context)
            name = chosen.name
            _configure(configuration, chosen, where)
    except IpvsloadError:
        raise
    except Exception as error:  # a file of a certificate that is missing, base64 that is none
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise TestbedError(f"kubeconfig {where}: {words}") from None
    return Api(ApiClient(configuration), name, tell)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # a container's user without a home, where there is no such file then
        return Path(path)


def _configure(configuration: Any, chosen: ChosenContext, where: str) -> None:
    from kubernetes.config import load_kube_config_from_dict

    user = dict(chosen.user or {})
    if "as" in user:
        raise TestbedError(
            f"kubeconfig {where}: user {chosen.user_name} acts as another (`as`), which this"
            " program cannot do: take a context of a user with rights of its own"
        )
    section = user.pop("exec", None)
    renew: _Renewal | None = None
    if section is not None and not user.get("token"):
        command = LoginCommand(section, chosen.cluster, chosen.directory, chosen.user_name, where)
        login = command.run()
        user |= _as_user(login)
        if login.token and login.expires is not None:
            renew = _Renewal(command, login)
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": chosen.cluster}],
        "users": [{"name": "chosen", "user": user}],
    }  # fmt: skip
    load_kube_config_from_dict(config, "chosen", configuration)
    certificate = any(key.startswith("client-certificate") for key in user)
    if user and not configuration.api_key and not certificate:
        given = ", ".join(user)
        provider = user.get("auth-provider")
        if isinstance(provider, dict):
            given = f"an auth-provider {provider.get('name')} that is unknown here or has expired"
        raise TestbedError(
            f"kubeconfig {where}: user {chosen.user_name} has no credentials that can be used"
            f" ({given}); log in again, and try with `kubectl get nodes`"
        )
    if renew is not None:
        configuration.refresh_api_key_hook = renew


def _as_user(login: Credential) -> dict[str, str]:
    """What the command printed, as a kubeconfig has it."""
    found = {
        "token": login.token,
        "client-certificate-data": base64.b64encode(login.certificate.encode()).decode(),
        "client-key-data": base64.b64encode(login.key.encode()).decode(),
    }
    return {key: text for key, text in found.items() if text}


class _Renewal:
    """Logs in again before a token ends; the client calls it before each request."""

    def __init__(self, command: LoginCommand, login: Credential) -> None:
        self._command = command
        self._login = login
        self._due = _due(login)
        self._lock = threading.Lock()

    def __call__(self, configuration: Any) -> None:
        """Raise LoginError where that fails and the present token has ended."""
        with self._lock:
            now = time.time()
            if now < self._due:
                return
            try:
                self._login = self._command.run()
            except LoginError:
                if self._login.expires is None or now >= self._login.expires:
                    raise
                self._due = min(now + _AGAIN, self._login.expires)
                return
            self._due = _due(self._login)
            configuration.api_key["BearerToken"] = f"Bearer {self._login.token}"


def _due(login: Credential) -> float:
    """When to log in again, in unix time."""
    if login.expires is None:
        return float("inf")
    left = login.expires - time.time()
    return time.time() + max(left - _EARLY, left / 2)
