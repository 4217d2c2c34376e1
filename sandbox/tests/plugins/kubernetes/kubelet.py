"""A node whose pods start at once, but those whose image is `broken`."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError

from sandbox.tests.control_planes import until

NODE = "played"


@contextmanager
def node(cluster: Cluster) -> Iterator[None]:
    """Have the node while the block runs."""
    cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}, manager="kubelet")
    capacity = {"cpu": "2", "memory": "4Gi", "pods": "20"}
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    status = {"capacity": capacity, "allocatable": capacity, "conditions": [condition]}
    _merge(cluster, f"/api/v1/nodes/{NODE}/status", {"status": status})
    _merge(cluster, f"/api/v1/nodes/{NODE}", {"spec": {"taints": None}})
    ended = threading.Event()
    thread = threading.Thread(target=_play, args=(cluster, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        cluster.delete("v1", "Node", "", NODE)
        # Its deletion waits for the garbage collector, and the next test makes it anew.
        until(lambda: not cluster.find_all("v1", "Node", fields=f"metadata.name={NODE}"))


def _play(cluster: Cluster, ended: threading.Event) -> None:
    while not ended.wait(0.2):
        for pod in cluster.find_all("v1", "Pod", fields=f"spec.nodeName={NODE}"):
            with contextlib.suppress(ApiError):  # it was changed or deleted meanwhile
                _tend(cluster, pod)


def _merge(cluster: Cluster, path: str, body: dict[str, Any]) -> None:
    cluster.request("PATCH", path, body=body, content_type="application/merge-patch+json")


def _tend(cluster: Cluster, pod: dict[str, Any]) -> None:
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
    if pod["metadata"].get("deletionTimestamp"):
        cluster.request("DELETE", path, body={"gracePeriodSeconds": 0})
    elif pod["status"].get("phase") == "Pending" and not pod["status"].get("containerStatuses"):
        _merge(cluster, f"{path}/status", {"status": _status(pod)})


def _status(pod: dict[str, Any]) -> dict[str, Any]:
    container = pod["spec"]["containers"][0]
    if container["image"] == "broken":
        state = {"waiting": {"reason": "ImagePullBackOff", "message": 'no such image "broken"'}}
        return {"containerStatuses": [_container(container, state, ready=False)]}
    running = _container(container, {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, ready=True)
    if pod["spec"]["restartPolicy"] != "Always":
        return {"phase": "Failed" if container["image"] == "failing" else "Succeeded"}
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "ContainersReady", "Ready")]
    address = f"10.9.0.{hash(pod['metadata']['name']) % 250 + 2}"
    return {
        "phase": "Running",
        "conditions": conditions,
        "containerStatuses": [running],
        "podIP": address,
        "podIPs": [{"ip": address}],
    }


def _container(container: dict[str, Any], state: dict[str, Any], *, ready: bool) -> dict[str, Any]:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": 0,
        "state": state,
    }
