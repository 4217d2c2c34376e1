"""Persistent volumes: of EBS by the CSI driver's add-on, or of the node's disk in a local cluster."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError
from kubernetes.client.exceptions import ApiException

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers import attachments, claims, ebs
from cloudcommerce_sandbox.kubernetes.controllers.instance_types import (
    InstanceTypes,
    UnknownInstanceTypeError,
)
from cloudcommerce_sandbox.kubernetes.controllers.local_volumes import LocalVolumes
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Report

_STORAGE = "storage.k8s.io/v1"
_ADDON = "aws-ebs-csi-driver"
_ACCOUNT = ("kube-system", "ebs-csi-controller-sa")
_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
_TOPOLOGY = ("kubernetes.io/os", ebs.ZONE, ebs.DRIVER_ZONE)
_NO_ROLE = (
    "could not create volume: UnauthorizedOperation: the service account kube-system/ebs-csi-controller-sa "
    "has no IAM role. Give the add-on aws-ebs-csi-driver a service account role or a Pod Identity "
    "association, and the latter its agent (the add-on eks-pod-identity-agent)."
)
_SOON_SECONDS = 1.0

Objects = Mapping[str, Mapping[str, Any]]


class VolumesController:
    """Does what the EBS CSI driver does, as long as its controller runs in the cluster.

    Without the add-on claims stay pending, and without a role of its own they are refused, as on AWS.
    """

    def __init__(self) -> None:
        self._types = InstanceTypes()
        self._local = LocalVolumes()

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:
        """Make, attach, grow and delete volumes as claims and pods ask for.

        Args:
            cluster: The cluster as it should be.
            api: The running cluster.
        """
        if cluster.local:
            return self._local.reconcile(api)
        nodes = _by_name(api.list("v1", "Node"))
        if not _driver_runs(api):
            return Report()
        self._register(api, nodes)
        volumes = _by_name(api.list("v1", "PersistentVolume"))
        attached = attachments.follow(api, volumes, nodes)
        classes = _by_name(api.list(_STORAGE, "StorageClass"))
        waiting = claims.waiting(api, ebs.DRIVER, classes)
        for claim in waiting:
            storage_class = classes[claim["spec"]["storageClassName"]]
            try:
                _provision(cluster, api, claim, storage_class, nodes)
            except (ebs.ParameterError, ClientError) as error:
                message = (
                    f'failed to provision volume with StorageClass "{storage_class["metadata"]["name"]}": '
                )
                claims.tell_failure(api, claim, ebs.DRIVER, f"{message}{error}")
        for volume in volumes.values():
            if (volume["metadata"].get("annotations") or {}).get(claims.PROVISIONED_BY) == ebs.DRIVER:
                _reclaim_or_grow(api, volume, classes, is_attached=volume["metadata"]["name"] in attached)
        return Report(again_after_seconds=_SOON_SECONDS if waiting else None)

    def _register(self, api: ClusterApi, nodes: Objects) -> None:
        """Tell the scheduler of the driver on each node, and of how many volumes fit there."""
        known = _by_name(api.list(_STORAGE, "CSINode"))
        for name, node in nodes.items():
            labels = node["metadata"].get("labels") or {}
            if name in known or not labels.get(ebs.ZONE):
                continue
            try:
                limit = self._types.get(api, labels.get("node.kubernetes.io/instance-type", "")).volumes
            except UnknownInstanceTypeError:
                continue
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            driver = {
                "name": ebs.DRIVER,
                "nodeID": node["spec"]["providerID"].rpartition("/")[2],
                "topologyKeys": list(_TOPOLOGY),
                "allocatable": {"count": limit},
            }
            api.apply(
                {
                    "apiVersion": _STORAGE,
                    "kind": "CSINode",
                    "metadata": {"name": name, "ownerReferences": [owner]},
                    "spec": {"drivers": [driver]},
                }
            )
            api.patch("v1", "Node", name, {"metadata": {"labels": {ebs.DRIVER_ZONE: labels[ebs.ZONE]}}})


def _provision(
    cluster: ClusterSpec,
    api: ClusterApi,
    claim: Mapping[str, Any],
    storage_class: Mapping[str, Any],
    nodes: Objects,
) -> None:
    if not _has_role(cluster):
        raise ebs.ParameterError(_NO_ROLE)
    name = claims.volume_name(claim)
    parameters = storage_class.get("parameters") or {}
    size = ebs.gibibytes(claim["spec"]["resources"]["requests"]["storage"])
    volume = _existing(api, name)
    if volume is None:
        arguments = ebs.volume_arguments(parameters, size)
        tags = ebs.volume_tags(cluster.name, name, claim, parameters, _extra_tags(cluster))
        tag_list = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        volume = api.aws("ec2").create_volume(
            AvailabilityZone=_zone(claim, storage_class, nodes),
            TagSpecifications=[{"ResourceType": "volume", "Tags": tag_list}],
            **arguments,
        )
    csi = {"driver": ebs.DRIVER, "volumeHandle": volume["VolumeId"]}
    if claim["spec"].get("volumeMode") != "Block":
        csi["fsType"] = ebs.file_system(parameters)
    manifest = claims.volume_manifest(
        claim, storage_class, f"{size}Gi", {"csi": csi}, (ebs.ZONE, volume["AvailabilityZone"])
    )
    manifest["metadata"]["finalizers"] = [_FINALIZER]
    api.apply(manifest)


def _existing(api: ClusterApi, name: str) -> dict[str, Any] | None:
    """Return the EBS volume that an earlier round made, when its persistent volume could not be written."""
    filters = [{"Name": "tag:CSIVolumeName", "Values": [name]}]
    found = api.aws("ec2").describe_volumes(Filters=filters)["Volumes"]
    return dict(found[0]) if found else None


def _zone(claim: Mapping[str, Any], storage_class: Mapping[str, Any], nodes: Objects) -> str:
    allowed = ebs.allowed_zones(storage_class)
    node = nodes.get(claims.selected_node(claim))
    zones = sorted({_zone_of(node)} if node else {_zone_of(item) for item in nodes.values()} - {""})
    if allowed is not None:
        zones = [zone for zone in zones if zone in allowed]
    if not zones:
        raise ebs.ParameterError("no topology key found: no node is in a zone that the storage class allows.")
    digest = hashlib.sha256(claim["metadata"]["name"].encode()).digest()
    return zones[digest[0] % len(zones)]


def _reclaim_or_grow(
    api: ClusterApi, volume: Mapping[str, Any], classes: Objects, *, is_attached: bool
) -> None:
    name = volume["metadata"]["name"]
    handle = volume["spec"]["csi"]["volumeHandle"]
    phase = (volume.get("status") or {}).get("phase")
    if phase == "Released" and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
        if is_attached:
            return
        try:
            api.aws("ec2").delete_volume(VolumeId=handle)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidVolume.NotFound":
                raise
        api.delete("v1", "PersistentVolume", name)
        _let_go(api, name)
    elif volume["metadata"].get("deletionTimestamp"):
        _let_go(api, name)  # somebody deleted it who keeps the EBS volume
    elif phase == "Bound":
        storage_class = classes.get(volume["spec"].get("storageClassName") or "")
        if storage_class and storage_class.get("allowVolumeExpansion"):
            _grow(api, volume, handle)


def _let_go(api: ClusterApi, name: str) -> None:
    """Take our finalizer away; the next round tries again when another controller is at its own."""
    volume = api.get("v1", "PersistentVolume", name)
    if volume is None:
        return
    metadata = volume["metadata"]
    left = [item for item in metadata.get("finalizers") or [] if item != _FINALIZER]
    seen = {"finalizers": left or None, "resourceVersion": metadata["resourceVersion"]}
    try:
        api.patch("v1", "PersistentVolume", name, {"metadata": seen})
    except ApiException as error:
        if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise


def _grow(api: ClusterApi, volume: Mapping[str, Any], handle: str) -> None:
    reference = volume["spec"]["claimRef"]
    claim = api.get("v1", "PersistentVolumeClaim", reference["name"], reference["namespace"])
    if claim is None:
        return
    wanted = ebs.gibibytes(claim["spec"]["resources"]["requests"]["storage"])
    has = ebs.gibibytes(volume["spec"]["capacity"]["storage"])
    if wanted > has:
        try:
            api.aws("ec2").modify_volume(VolumeId=handle, Size=wanted)
        except ClientError as error:
            claims.tell_failure(api, claim, ebs.DRIVER, f"could not resize volume {handle}: {error}")
            return
        size = {"capacity": {"storage": f"{wanted}Gi"}}
        api.patch("v1", "PersistentVolume", volume["metadata"]["name"], {"spec": size})
    told = ((claim.get("status") or {}).get("capacity") or {}).get("storage", "")
    if told and ebs.gibibytes(told) < wanted:
        status = {"status": {"capacity": {"storage": f"{wanted}Gi"}}}
        api.patch(
            "v1",
            "PersistentVolumeClaim",
            reference["name"],
            status,
            namespace=reference["namespace"],
            subresource="status",
        )


def _driver_runs(api: ClusterApi) -> bool:
    controller = api.get("apps/v1", "Deployment", "ebs-csi-controller", "kube-system")
    return bool(controller and (controller.get("status") or {}).get("availableReplicas"))


def _has_role(cluster: ClusterSpec) -> bool:
    installed = {addon.name: addon for addon in cluster.addons}
    if _ADDON in installed and installed[_ADDON].service_account_role_arn:
        return True
    associated = {(item.namespace, item.service_account) for item in cluster.pod_identity_associations}
    return _ACCOUNT in associated and "eks-pod-identity-agent" in installed


def _extra_tags(cluster: ClusterSpec) -> Mapping[str, str]:
    for addon in cluster.addons:
        if addon.name == _ADDON:
            tags = (addon.configuration.get("controller") or {}).get("extraVolumeTags") or {}
            return tags if isinstance(tags, Mapping) else {}
    return {}


def _zone_of(node: Mapping[str, Any]) -> str:
    return str((node["metadata"].get("labels") or {}).get(ebs.ZONE, ""))


def _by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in items}
