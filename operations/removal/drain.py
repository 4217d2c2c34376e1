"""What a cluster's controllers made in AWS, removed while the controllers still run.

A volume of a claim, or the load balancer of a Service, stands in no state: only the controller that made it
takes it away, and only while there is a cluster. Deleted after the cluster, it holds subnets and security
groups, so that the network cannot go either (pulumi/pulumi-eks#194, #640, #1226).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.cluster.api import KubernetesApi, ObjectKey
from operations.cluster.keys import identity

_DELETES = "Delete"
_LOAD_BALANCER = "LoadBalancer"

_ENTRANCES = (
    ("networking.k8s.io/v1", "Ingress"),
    ("gateway.networking.k8s.io/v1", "Gateway"),
)
"""Kinds for which a controller makes load balancers, beside Services of that type."""

_HELD_BY_CONTROLLERS = 16
"""How far a pod's chain of owners is followed; Kubernetes' own are three long."""


@dataclass(frozen=True)
class Claimed:
    """A claim of a volume.

    Attributes:
        id: `NAMESPACE/NAME`.
        namespace: Its namespace.
        volume: The volume behind it, as AWS calls it; empty while there is none.
        size: What it asks for, such as `8Gi`.
        goes: Whether the volume is deleted with the claim.
    """

    id: str
    namespace: str
    volume: str
    size: str
    goes: bool


def claims(api: KubernetesApi) -> tuple[Claimed, ...]:
    """Return the claims of a cluster with what becomes of their volumes.

    Raises:
        ClusterUnreachableError: The cluster does not answer.
    """
    volumes = {each["metadata"]["name"]: each["spec"] for each in api.objects("v1", "PersistentVolume")}
    return tuple(
        _claimed(claim, volumes.get(claim["spec"].get("volumeName") or "", {}))
        for claim in api.objects("v1", "PersistentVolumeClaim")
    )


def drain(
    api: KubernetesApi, note: Callable[[str], None], *, patience: float = 900, pause: float = 5
) -> tuple[str, ...]:
    """Delete what makes controllers keep things in AWS, and wait until they have taken them away.

    Whoever it belongs to, so only of a cluster that goes itself.

    Load balancers go first, for traffic ends with them; then what mounts claims, without which a claim does
    not go; then the claims. What something in the cluster makes again meanwhile is deleted again.

    Args:
        api: The cluster.
        note: Receives a line per deleted object.
        patience: Seconds until what is still there is given up.
        pause: Seconds between two looks.

    Returns:
        What was still there at the end: it outlives the cluster and has to be deleted in AWS.

    Raises:
        ClusterUnreachableError: The cluster does not answer.
    """
    told: set[str] = set()
    deadline = time.monotonic() + patience
    while True:
        wanted = [*_entrances(api), *_holders(api), *_claims(api)]
        for api_version, kind, found in wanted:
            if found["metadata"].get("deletionTimestamp"):
                continue
            line = f"{kind} {identity(found)}"
            api.delete(api_version, kind, found)
            if line not in told:
                note(f"{api.name}: deleted {line}, so that nothing of it outlives the cluster")
                told.add(line)
        left = (
            *(f"{kind} {identity(found)}" for _, kind, found in wanted),
            *(f"PersistentVolume {name}" for name in _doomed_volumes(api)),
        )
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(pause)


def _entrances(api: KubernetesApi) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for service in api.objects("v1", "Service"):
        if service["spec"].get("type") == _LOAD_BALANCER:
            yield "v1", "Service", service
    for api_version, kind in _ENTRANCES:
        for found in api.objects(api_version, kind):
            yield api_version, kind, found


def _claims(api: KubernetesApi) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for claim in api.objects("v1", "PersistentVolumeClaim"):
        yield "v1", "PersistentVolumeClaim", claim


def _holders(api: KubernetesApi) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield what keeps claims in use: for each pod that mounts one, what makes that pod again and again."""
    seen = set()
    for pod in api.objects("v1", "Pod"):
        if any("persistentVolumeClaim" in volume for volume in pod["spec"].get("volumes") or ()):
            api_version, kind, found = _topmost(api, pod)
            if found["metadata"]["uid"] not in seen:
                seen.add(found["metadata"]["uid"])
                yield api_version, kind, found


def _topmost(api: KubernetesApi, pod: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    api_version, kind, found = "v1", "Pod", pod
    for _ in range(_HELD_BY_CONTROLLERS):
        metadata = found["metadata"]
        owner = next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), None)
        if owner is None:
            break
        key = ObjectKey(owner["apiVersion"], owner["kind"], owner["name"], metadata.get("namespace"))
        above = api.get(key)
        if above is None:
            break
        api_version, kind, found = key.api_version, key.kind, above
    return api_version, kind, found


def _doomed_volumes(api: KubernetesApi) -> Iterator[str]:
    for volume in api.objects("v1", "PersistentVolume"):
        if volume["spec"].get("persistentVolumeReclaimPolicy") == _DELETES and volume["spec"].get("claimRef"):
            yield str(volume["metadata"]["name"])


def _claimed(claim: Mapping[str, Any], volume: Mapping[str, Any]) -> Claimed:
    asked = claim["spec"].get("resources", {}).get("requests", {}).get("storage", "")
    goes = volume.get("persistentVolumeReclaimPolicy", _DELETES) == _DELETES
    return Claimed(
        id=identity(claim),
        namespace=claim["metadata"]["namespace"],
        volume=(volume.get("csi") or {}).get("volumeHandle", ""),
        size=str(asked),
        goes=goes,
    )
