"""How a node leaves a cluster when its machine does.

A managed node group cordons the node and evicts its pods, which disruption budgets may hold up for a while;
then the machine goes, with whatever still runs on it. See
https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html.
"""

import time
from collections.abc import Mapping
from typing import Any

from kubernetes.client.exceptions import ApiException

from cloudcommerce_sandbox.kubernetes.api import ClusterApi

_SINCE = "sandbox.cloudcommerce.dev/leaving-since"
_PATIENCE_SECONDS = 60.0  # EKS waits for 15 minutes, which nobody would here
# A budget blocks it, it is gone, or its namespace is being deleted and the pod with it.
_REFUSED = {429, 404, 403}
_ENDED = {"Succeeded", "Failed"}


def leave(api: ClusterApi, node: Mapping[str, Any], now: float | None = None) -> bool:
    """Take a node one step further out of the cluster.

    Args:
        api: The cluster.
        node: The Node.
        now: The time in seconds since 1970; the clock's without.

    Returns:
        Whether it is gone.

    Raises:
        ApiException: The server refuses.
    """
    now = time.time() if now is None else now
    name = node["metadata"]["name"]
    since = (node["metadata"].get("annotations") or {}).get(_SINCE)
    if since is None:
        cordoned = {"metadata": {"annotations": {_SINCE: str(now)}}, "spec": {"unschedulable": True}}
        api.patch("v1", "Node", name, cordoned)
    pods = api.list("v1", "Pod", fields=f"spec.nodeName={name}")
    remaining = [pod for pod in pods if _is_to_move(pod)]
    if remaining and now - float(since or now) < _PATIENCE_SECONDS:
        for pod in remaining:
            if not pod["metadata"].get("deletionTimestamp"):
                _evict(api, pod)
        return False
    remove(api, name)
    return True


def remove(api: ClusterApi, name: str) -> None:
    """Delete a node whose machine is gone with what ran on it, as the garbage collector does a minute later.

    Args:
        api: The cluster.
        name: The node's name.

    Raises:
        ApiException: The server refuses.
    """
    pods = api.list("v1", "Pod", fields=f"spec.nodeName={name}")
    api.delete("v1", "Node", name)
    for pod in pods:
        metadata = pod["metadata"]
        api.delete("v1", "Pod", metadata["name"], metadata["namespace"], grace_seconds=0)


def _is_to_move(pod: Mapping[str, Any]) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    stays = any(owner["kind"] == "DaemonSet" for owner in owners)
    return not stays and pod.get("status", {}).get("phase") not in _ENDED


def _evict(api: ClusterApi, pod: Mapping[str, Any]) -> None:
    metadata = pod["metadata"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }
    evictions = api.dynamic.resources.get(api_version="v1", kind="Pod").subresources["eviction"]
    try:
        evictions.create(name=metadata["name"], namespace=metadata["namespace"], body=eviction)
    except ApiException as error:
        if error.status not in _REFUSED:
            raise
