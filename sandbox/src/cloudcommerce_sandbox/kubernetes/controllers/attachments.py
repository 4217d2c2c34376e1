"""Attaching volumes to instances, as the external attacher and the EBS CSI driver do it together."""

import datetime
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers.ebs import DRIVER, ParameterError, free_device

_API = "storage.k8s.io/v1"
_KIND = "VolumeAttachment"
_FINALIZER = "external-attacher/ebs-csi-aws-com"
_ALREADY_DETACHED = {"IncorrectState", "InvalidAttachment.NotFound", "InvalidVolume.NotFound"}


def follow(
    api: ClusterApi, volumes: Mapping[str, Mapping[str, Any]], nodes: Mapping[str, Mapping[str, Any]]
) -> set[str]:
    """Attach and detach what Kubernetes' attach-detach controller asks for.

    Args:
        api: The cluster.
        volumes: The persistent volumes by name.
        nodes: The nodes by name.

    Returns:
        The names of the persistent volumes that are attached or about to be.
    """
    attached = set()
    for attachment in api.list(_API, _KIND):
        if attachment["spec"]["attacher"] != DRIVER:
            continue
        volume = attachment["spec"]["source"].get("persistentVolumeName", "")
        handle = _handle(volumes.get(volume))
        if attachment["metadata"].get("deletionTimestamp"):
            _detach(api, attachment, handle)
            continue
        attached.add(volume)
        node = nodes.get(attachment["spec"]["nodeName"])
        if not (attachment.get("status") or {}).get("attached") and handle and node:
            _attach(api, attachment, handle, node["spec"]["providerID"].rpartition("/")[2])
    return attached


def _attach(api: ClusterApi, attachment: Mapping[str, Any], handle: str, instance: str) -> None:
    name = attachment["metadata"]["name"]
    api.patch(_API, _KIND, name, {"metadata": {"finalizers": [_FINALIZER]}})
    try:
        device = _attached_device(api, handle, instance) or _attach_new(api, handle, instance)
    except (ClientError, ParameterError) as error:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        status: dict[str, Any] = {"attached": False, "attachError": {"message": str(error), "time": now}}
    else:
        status = {"attached": True, "attachError": None, "attachmentMetadata": {"devicePath": device}}
    api.patch(_API, _KIND, name, {"status": status}, subresource="status")


def _attached_device(api: ClusterApi, handle: str, instance: str) -> str:
    for item in api.aws("ec2").describe_volumes(VolumeIds=[handle])["Volumes"][0].get("Attachments", []):
        if item["InstanceId"] == instance:
            return str(item["Device"])
    return ""


def _attach_new(api: ClusterApi, handle: str, instance: str) -> str:
    ec2 = api.aws("ec2")
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    device = free_device([item["DeviceName"] for item in described.get("BlockDeviceMappings", [])])
    ec2.attach_volume(VolumeId=handle, InstanceId=instance, Device=device)
    return device


def _detach(api: ClusterApi, attachment: Mapping[str, Any], handle: str) -> None:
    if handle:
        try:
            described = api.aws("ec2").describe_volumes(VolumeIds=[handle])["Volumes"][0]
            for item in described.get("Attachments", []):
                api.aws("ec2").detach_volume(
                    VolumeId=handle, InstanceId=item["InstanceId"], Device=item["Device"]
                )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _ALREADY_DETACHED:
                raise
    api.patch(_API, _KIND, attachment["metadata"]["name"], {"metadata": {"finalizers": None}})


def _handle(volume: Mapping[str, Any] | None) -> str:
    return str(((volume or {}).get("spec") or {}).get("csi", {}).get("volumeHandle", ""))
