"""What pods wait for, in the cluster's own words. Pure, except for what takes an Api."""

from collections.abc import Callable, Iterable, Sequence

from ipvsload.errors import TestbedError
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.object_names import NAMESPACE

_PATIENT = ("ContainerCreating", "PodInitializing", "")
"""Reasons for a container to wait that mean nothing is wrong."""
READY_WITHIN = 300.0
"""Seconds for images to be pulled and pods to answer."""
_RESTARTS = 2
"""More restarts than these mean that a pod does not stay up."""
_LAST = 3


def present(api: Api, namespace: str, labels: str) -> list[Object]:
    """Read the pods with these labels, without those that have been told to end."""
    found = api.every("pods", namespace, labels)
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def name(pod: Object) -> str:
    """The pod's name."""
    return str(pod["metadata"]["name"])


def uid(pod: Object) -> str:
    """The pod's uid, which no other pod ever has, also none of the same name."""
    return str(pod["metadata"]["uid"])


def node(pod: Object) -> str:
    """The node that the pod runs on; "" while it is not scheduled."""
    return str(pod.get("spec", {}).get("nodeName") or "")


def running(pod: Object) -> bool:
    """Whether all of the pod's containers run."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return bool(statuses) and all("running" in (one.get("state") or {}) for one in statuses)


def ready(pod: Object) -> bool:
    """Whether the pod is Ready, as a Service sees it."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def restarts(pod: Object) -> int:
    """How often the pod's containers were started again."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return sum(int(one.get("restartCount", 0)) for one in statuses)


def complaint(pod: Object) -> str:
    """Why the pod does not run, from its status; "" where nothing is wrong yet."""
    status = pod.get("status", {})
    for one in status.get("conditions") or []:
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return f"{one.get('reason', 'Unschedulable')}: {one.get('message', '')}".strip(": ")
    for one in status.get("containerStatuses") or []:
        waiting = (one.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason not in _PATIENT:
            return f"{reason}: {waiting.get('message', '')}".strip(": ")
        states = (one.get(when) or {} for when in ("state", "lastState"))
        ended = next((state["terminated"] for state in states if state.get("terminated")), None)
        if ended and ended.get("exitCode"):
            said = ended.get("message") or ended.get("reason") or ""
            return f"its container ended with status {ended['exitCode']}: {said}".strip(": ")
    return ""


def log(api: Api, pod: Object, tail: int, *, previous: bool = False) -> str:
    """The end of the pod's log; "" where it has not started yet, or has not run before."""
    try:
        return api.log(name(pod), pod["metadata"]["namespace"], tail=tail, previous=previous)
    except ApiError:
        return ""


def last_words(api: Api, pod: Object) -> str:
    """Why a pod does not stay up: its status, and the end of its log."""
    said = " / ".join(log(api, pod, _LAST, previous=True).splitlines()).strip(" /")
    text = f"pod {name(pod)}: {complaint(pod)}"
    return f"{text}; its last words: {said}" if said else text


def words_of(api: Api, namespace: str, found: Iterable[Object]) -> str:
    """What these pods wait for, from their status or from the newest event about them."""
    pods = list(found)
    for pod in pods:
        if text := complaint(pod):
            return f"pod {name(pod)}: {text}"
    names = {name(pod) for pod in pods}
    return newest_event(api, namespace, lambda about: about in names)


def waiting_for(api: Api, owner: str, waiting: Sequence[Object], crashed: str) -> str:
    """What the owner's pods that are not up wait for; "" where nothing says.

    `owner` is an object in our namespace. Raises TestbedError, which begins with
    `crashed`, where one is started again and again.
    """
    for pod in waiting:
        if restarts(pod) > _RESTARTS:
            raise TestbedError(f"{crashed}: {last_words(api, pod)}")
    if waiting:
        return words_of(api, NAMESPACE, waiting)
    # No pod at all: a quota, or an admission that refuses them.
    return newest_event(api, NAMESPACE, lambda about: f"{about}-".startswith(f"{owner}-"))


def newest_event(api: Api, namespace: str, concerns: Callable[[str], bool]) -> str:
    """The newest event about an object whose name `concerns` accepts; "" if there is none."""
    try:
        events = api.every("events", namespace)
    except ApiError:
        return ""  # a run works without the right to list events
    events.sort(key=lambda event: str(event.get("lastTimestamp") or ""))
    for event in reversed(events):
        about = event.get("involvedObject", {})
        if concerns(str(about.get("name", ""))):
            kind = str(about.get("kind") or "pod").lower()
            return f"{kind} {about['name']}: {event.get('message', '')}"
    return ""
