"""Why a workload does not become ready: what its pods and their events say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object
from cloudcommerce_sandbox.plugins.provider import ProviderError

_SHOWN: Final = 5
_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController")


def reasons(cluster: Cluster, live: Object) -> list[str]:
    """Return what keeps an object from becoming ready, the most telling first; never raises."""
    try:
        found = list(dict.fromkeys(_all(cluster, live)))
    except ProviderError:
        return []
    return found[:_SHOWN]


def _all(cluster: Cluster, live: Object) -> Iterator[str]:
    owned = _replica_sets(cluster, live)
    pods = _pods(cluster, live)
    for pod in pods:
        yield from _pod(pod)
    for item in (*owned, live):
        yield from _conditions(item)
    for item in (*pods, *owned, live):
        yield from _events(cluster, item)


def _conditions(item: Object) -> Iterator[str]:
    for condition in (item.get("status") or {}).get("conditions") or ():
        bad = "True" if condition.get("type") in ("ReplicaFailure", "FailureTarget", "Failed") else "False"
        if condition.get("status") == bad and condition.get("message"):
            yield f"{objects.label(item)}: {condition.get('reason')}: {condition['message']}"


def _replica_sets(cluster: Cluster, live: Object) -> list[Object]:
    if live.get("kind") != "Deployment":
        return []
    found = cluster.find_all("apps/v1", "ReplicaSet", objects.namespace(live), labels=_selector(live))
    return [
        {**item, "kind": "ReplicaSet"} for item in found if _is_of(item, live) and _is_current(item, live)
    ]


def _is_of(item: Object, owner: Object) -> bool:
    uid = owner["metadata"].get("uid")
    return any(reference.get("uid") == uid for reference in item["metadata"].get("ownerReferences") or ())


def _is_current(item: Object, owner: Object) -> bool:
    key = "deployment.kubernetes.io/revision"
    return objects.annotation(item, key) == objects.annotation(owner, key)


def _pods(cluster: Cluster, live: Object) -> list[Object]:
    if live.get("kind") == "Pod":
        return [live]
    if live.get("kind") not in _WORKLOADS or not _selector(live):
        return []
    found = cluster.find_all("v1", "Pod", objects.namespace(live), labels=_selector(live))
    return [{**pod, "kind": "Pod"} for pod in found if not _is_ready(pod)]


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def _selector(live: Object) -> str:
    selector: Any = (live.get("spec") or {}).get("selector") or {}
    labels: Mapping[str, Any] = selector.get(
        "matchLabels", {} if "matchExpressions" in selector else selector
    )
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _pod(pod: Object) -> Iterator[str]:
    status = pod.get("status") or {}
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = container.get("state") or {}
        problem = state.get("waiting") or state.get("terminated") or {}
        if problem.get("reason") not in (None, "ContainerCreating", "PodInitializing", "Completed"):
            text = problem.get("message") or f"exit code {problem.get('exitCode')}"
            yield f"{objects.label(pod)}, container {container.get('name')}: {problem['reason']}: {text}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"{objects.label(pod)} can't be scheduled: {condition.get('message')}"


def _events(cluster: Cluster, item: Object) -> Iterator[str]:
    uid = item["metadata"].get("uid")
    chosen = f"involvedObject.uid={uid},type=Warning"
    for event in cluster.find_all("v1", "Event", objects.namespace(item) or "default", fields=chosen):
        yield f"{objects.label(item)}: {event.get('reason')}: {event.get('message')}"
