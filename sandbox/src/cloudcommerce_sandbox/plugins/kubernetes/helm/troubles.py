"""What the cluster says of a release that does not become ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.provider import ProviderError

_SHOWN: Final = 5
# Without a metrics server, as in the first minutes of a cluster, an autoscaler complains every 15 seconds.
_BESIDE_THE_POINT: Final = ("HorizontalPodAutoscaler",)
_READINESS: Final = {
    "Deployment": ("replicas", "readyReplicas"),
    "StatefulSet": ("replicas", "readyReplicas"),
    "DaemonSet": ("desiredNumberScheduled", "numberReady"),
}
"""The fields of a workload's status that tell how many pods it wants and has."""


def warnings(
    cluster: Cluster, namespace: str, objects: Sequence[dict[str, Any]], since: datetime
) -> list[str]:
    """Return the latest warnings about a release's objects and what controllers made of them.

    Args:
        cluster: The cluster.
        namespace: The release's namespace.
        objects: The release's objects.
        since: Older events do not count.

    Returns:
        One line each, without repetitions; empty when the cluster does not tell.
    """
    names = {str(item["metadata"]["name"]) for item in objects}
    namespaces = {namespace} | {str(item["metadata"].get("namespace") or namespace) for item in objects}
    try:
        found = [
            event
            for place in sorted(namespaces)
            for event in cluster.find_all("v1", "Event", place, fields="type=Warning")
        ]
    except ProviderError:
        return []
    about = [event for event in found if _is_about(event, names) and _time(event) >= since.isoformat()]
    told: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for event in sorted(about, key=_time, reverse=True):
        told.setdefault((event.get("reason"), event.get("message")), []).append(event)
    return [_line(events) for events in list(told.values())[:_SHOWN]]


def unready(cluster: Cluster, namespace: str, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return the workloads of a release that lack pods, one line each; see `warnings`."""
    found = []
    for item in objects:
        fields = _READINESS.get(item["kind"])
        if fields is None:
            continue
        place, name = item["metadata"].get("namespace") or namespace, item["metadata"]["name"]
        try:
            live = cluster.get(item["apiVersion"], item["kind"], place, name) or {}
        except ProviderError:
            continue
        wanted, ready = (int((live.get("status") or {}).get(field) or 0) for field in fields)
        wanted = max(wanted, int((live.get("spec") or {}).get("replicas") or 0))
        if ready < wanted:
            found.append(f"{item['kind']} {name}: {ready} of {wanted} pods are ready")
    return found


def explained(message: str, lines: Sequence[str]) -> str:
    """Return a failure's message with the warnings below it."""
    return "\n".join(_indented(message, lines))


def _indented(message: str, lines: Sequence[str]) -> Iterator[str]:
    yield message
    if lines:
        yield "The cluster says:"
        yield from (f"  {line}" for line in lines)


def _is_about(event: dict[str, Any], names: set[str]) -> bool:
    involved = event.get("involvedObject") or {}
    about = str(involved.get("name", ""))
    return involved.get("kind") not in _BESIDE_THE_POINT and any(
        about == name or about.startswith(f"{name}-") for name in names
    )


def _time(event: dict[str, Any]) -> str:
    return str(
        event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    )


def _line(events: Sequence[dict[str, Any]]) -> str:
    """Return one line for events that say the same of different objects."""
    first = events[0]
    involved = first.get("involvedObject") or {}
    others = len({(event.get("involvedObject") or {}).get("name") for event in events}) - 1
    about = f"{involved.get('kind')} {involved.get('name')}{f' and {others} more' if others else ''}"
    return f"{about}: {first.get('reason')}: {first.get('message')}"
