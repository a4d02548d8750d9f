"""What pods are waiting for, in the cluster's own words. Pure, but for `words_of`."""

from collections.abc import Iterable

from ipvsload.testbed.kubernetes.api import Api, ApiError, Object

_PATIENT = ("ContainerCreating", "PodInitializing", "")
"""Reasons of a waiting container that say nothing is wrong."""
HOPELESS = ("InvalidImageName", "CreateContainerConfigError")


def name(pod: Object) -> str:
    """Its name."""
    return str(pod["metadata"]["name"])


def uid(pod: Object) -> str:
    """What no other pod ever has, of the same name either."""
    return str(pod["metadata"]["uid"])


def node(pod: Object) -> str:
    """The node that it runs on; "" while it is not scheduled."""
    return str(pod.get("spec", {}).get("nodeName") or "")


def leaving(pod: Object) -> bool:
    """Whether it has been told to end."""
    return "deletionTimestamp" in pod["metadata"]


def running(pod: Object) -> bool:
    """Whether its containers run."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return bool(statuses) and all("running" in (one.get("state") or {}) for one in statuses)


def ready(pod: Object) -> bool:
    """Whether it is Ready, as a Service sees it."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def restarts(pod: Object) -> int:
    """How often its containers were started again."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return sum(int(one.get("restartCount", 0)) for one in statuses)


def complaint(pod: Object) -> str:
    """Why it does not run, out of its status; "" where nothing is wrong yet."""
    status = pod.get("status", {})
    for one in status.get("conditions") or []:
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return f"{one.get('reason', 'Unschedulable')}: {one.get('message', '')}".strip(": ")
    for one in status.get("containerStatuses") or []:
        waiting = (one.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason not in _PATIENT:
            return f"{reason}: {waiting.get('message', '')}".strip(": ")
        ended = (one.get("state") or {}).get("terminated") or (one.get("lastState") or {}).get(
            "terminated"
        )
        if ended and ended.get("exitCode"):
            said = ended.get("message") or ended.get("reason") or ""
            return f"its container ended with status {ended['exitCode']}: {said}".strip(": ")
    return ""


def words_of(api: Api, namespace: str, found: Iterable[Object]) -> str:
    """What these pods wait for, from their status or from the newest event about them."""
    pods = list(found)
    for pod in pods:
        if text := complaint(pod):
            return f"pod {name(pod)}: {text}"
    names = {name(pod) for pod in pods}
    try:
        events = api.every("events", namespace)
    except ApiError:
        return ""  # a right that is only wanted for this
    newest = ""
    for event in sorted(events, key=lambda e: str(e.get("lastTimestamp") or "")):
        if event.get("involvedObject", {}).get("name") in names:
            newest = f"pod {event['involvedObject']['name']}: {event.get('message', '')}"
    return newest
