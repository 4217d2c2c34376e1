"""The storage class `standard` of a local cluster: folders on the nodes' disks, as kind has it."""

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers import claims
from cloudcommerce_sandbox.kubernetes.controllers.owned import Owned
from cloudcommerce_sandbox.kubernetes.model import Report

_PROVISIONER = "rancher.io/local-path"
_HOSTNAME = "kubernetes.io/hostname"
_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "standard",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": _PROVISIONER,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}
_SOON_SECONDS = 1.0


class LocalVolumes:
    """Answers the claims of a local cluster."""

    def __init__(self) -> None:
        self._owned = Owned("volumes", [("storage.k8s.io/v1", "StorageClass")])

    def reconcile(self, api: ClusterApi) -> Report:
        """Make and delete volumes as claims ask for.

        Args:
            api: The running cluster.
        """
        self._owned.converge(api, [_CLASS])
        classes = {item["metadata"]["name"]: item for item in api.list("storage.k8s.io/v1", "StorageClass")}
        waiting = claims.waiting(api, _PROVISIONER, classes)
        for claim in waiting:
            _provision(api, claim, classes[claim["spec"]["storageClassName"]])
        for volume in api.list("v1", "PersistentVolume"):
            released = (volume.get("status") or {}).get("phase") == "Released"
            if (
                released
                and (volume["metadata"].get("annotations") or {}).get(claims.PROVISIONED_BY) == _PROVISIONER
            ):
                api.delete("v1", "PersistentVolume", volume["metadata"]["name"])
        return Report(again_after_seconds=_SOON_SECONDS if waiting else None)


def _provision(api: ClusterApi, claim: Mapping[str, Any], storage_class: Mapping[str, Any]) -> None:
    name = claims.volume_name(claim)
    path = {"path": f"/var/local-path-provisioner/{name}", "type": "DirectoryOrCreate"}
    size = claim["spec"]["resources"]["requests"]["storage"]
    affinity = (_HOSTNAME, claims.selected_node(claim))
    api.apply(claims.volume_manifest(claim, storage_class, size, {"hostPath": path}, affinity))
