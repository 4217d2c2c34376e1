"""Persistent volume claims that wait for a provisioner, and the persistent volumes that answer them."""

import datetime
from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers.owned import Manifest, digest

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"


def waiting(api: ClusterApi, provisioner: str, classes: Mapping[str, Mapping[str, Any]]) -> list[Manifest]:
    """Return the claims that a provisioner should make a volume for now.

    Those of a class that waits for a pod are returned when the scheduler has chosen its node.

    Args:
        api: The cluster.
        provisioner: The provisioner.
        classes: The storage classes by name.
    """
    found = []
    for claim in api.list("v1", "PersistentVolumeClaim"):
        annotations = claim["metadata"].get("annotations") or {}
        storage_class = classes.get(claim["spec"].get("storageClassName") or "")
        if (
            annotations.get(_PROVISIONER) == provisioner
            and (claim.get("status") or {}).get("phase") == "Pending"
            and not claim["spec"].get("volumeName")
            and not claim["metadata"].get("deletionTimestamp")
            and storage_class is not None
            and (storage_class.get("volumeBindingMode") == "Immediate" or selected_node(claim))
        ):
            found.append(claim)
    return found


def selected_node(claim: Mapping[str, Any]) -> str:
    """Return the node that the scheduler chose for a claim's pod; empty before it has."""
    return str((claim["metadata"].get("annotations") or {}).get(_SELECTED_NODE, ""))


def volume_name(claim: Mapping[str, Any]) -> str:
    """Return the name of the volume that a provisioner makes for a claim."""
    return f"pvc-{claim['metadata']['uid']}"


def volume_manifest(
    claim: Mapping[str, Any],
    storage_class: Mapping[str, Any],
    size: str,
    source: Mapping[str, Any],
    affinity: tuple[str, str],
) -> Manifest:
    """Return the persistent volume of a claim.

    Args:
        claim: The claim.
        storage_class: Its storage class.
        size: The volume's size, such as `10Gi`.
        source: Where it is: the `csi` or `hostPath` of its specification.
        affinity: The label and its value of the nodes that can reach it.
    """
    key, value = affinity
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name(claim),
            "annotations": {PROVISIONED_BY: storage_class["provisioner"]},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": size},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "mountOptions": storage_class.get("mountOptions") or [],
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
                    ]
                }
            },
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": claim["spec"].get("volumeMode") or "Filesystem",
            **source,
        },
    }


def tell_failure(api: ClusterApi, claim: Mapping[str, Any], provisioner: str, message: str) -> None:
    """Write an event about a claim that got no volume; one for each reason, however often it is tried.

    Args:
        api: The cluster.
        claim: The claim.
        provisioner: Who tried.
        message: What is wrong.
    """
    metadata = claim["metadata"]
    name = f"{metadata['name']}.{digest({'uid': metadata['uid'], 'message': message})}"
    if api.get("v1", "Event", name, metadata["namespace"]):
        return
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "type": "Warning",
            "reason": "ProvisioningFailed",
            "message": message,
            "source": {"component": provisioner},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
    )
