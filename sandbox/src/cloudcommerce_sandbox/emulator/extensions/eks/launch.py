"""What EKS launches the nodes of a node group with: its own launch template, made of the caller's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.utils import convert_tag_spec

from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.configuration import max_pods, reserved_memory_mib
from cloudcommerce_sandbox.emulator.extensions.eks.documents import Document
from cloudcommerce_sandbox.emulator.extensions.eks.scaling_group import LaunchPlan

CUSTOM_AMI = "CUSTOM"
DEFAULT_DISK_GIB = 20
DEFAULT_INSTANCE_TYPE = "t3.medium"
_ROOT_DEVICE = "/dev/xvda"


def template_version(account: str, region: str, reference: Mapping[str, str]) -> Any:
    """Returns a version of a launch template.

    Args:
        account: account.
        region: region.
        reference: `id` or `name`, and perhaps `version`.

    Raises:
        LookupError: there is no such launch template or version.
    """
    ec2: Any = ec2_backends[account][region]
    identifier = reference.get("id") or ec2.launch_template_name_to_ids.get(reference.get("name"))
    template = ec2.launch_templates.get(identifier)
    if template is None:
        raise LookupError(f"Launch template {reference.get('id') or reference.get('name')} was not found.")
    wanted = reference.get("version") or "$Default"
    if wanted in {"$Default", "$Latest"}:
        return template.get_version(wanted)
    for version in template.versions:
        if str(version.number) == str(wanted):
            return version
    raise LookupError(f"Launch template {template.id} has no version {wanted}.")


def launch_data(account: str, region: str, reference: Mapping[str, str] | None) -> Document:
    """Returns the data of a launch template, or none where a node group has no launch template."""
    return dict(template_version(account, region, reference).data) if reference else {}


def root_volume_gib(data: Mapping[str, Any], disk_size: int | None) -> int:
    """Returns the size of the root volume, in GiB."""
    for device in data.get("BlockDeviceMappings") or ():
        size = (device.get("Ebs") or {}).get("VolumeSize")
        if size and device.get("DeviceName") == _ROOT_DEVICE:
            return int(size)
    return disk_size or DEFAULT_DISK_GIB


def pods_of(data: Mapping[str, Any]) -> int | None:
    """Returns the kubelet's `maxPods` that a launch template sets, or None."""
    user_data = data.get("UserData")
    return max_pods(_encoded(user_data)) if user_data else None


def reserved_memory_of(data: Mapping[str, Any]) -> int | None:
    """Returns the memory in MiB that a launch template has the kubelet reserve, or None."""
    user_data = data.get("UserData")
    return reserved_memory_mib(_encoded(user_data)) if user_data else None


def _encoded(user_data: Any) -> str:
    return str(getattr(user_data, "as_encoded", lambda: user_data)())


def plan_launch(cluster: Cluster, settings: Mapping[str, Any], name: str, tags: dict[str, str]) -> LaunchPlan:
    """Makes EKS's own launch template and returns how to launch with it.

    Args:
        cluster: the cluster.
        settings: the node group's, by the members of its description.
        name: name of EKS's launch template.
        tags: tags of the node group's instances.
    """
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    data = copy.deepcopy(launch_data(cluster.account, cluster.region, settings.get("launchTemplate")))
    given = convert_tag_spec(data.get("TagSpecifications") or [])
    data["ImageId"] = data.get("ImageId") or _image(ec2, cluster.region, settings["amiType"])
    data["BlockDeviceMappings"] = _block_devices(data, settings.get("diskSize"))
    groups = _security_groups(data) or [cluster.network.security_group]
    template = ec2.launch_templates.get(ec2.launch_template_name_to_ids.get(name))
    if template is None:
        template = ec2.create_launch_template(name, "", data, {"launch-template": tags})
    else:
        template.create_version(data, "")
        template.default_version_number = len(template.versions)
    return LaunchPlan(
        template_id=template.id,
        image_id=data["ImageId"],
        instance_types=tuple(
            settings.get("instanceTypes") or [data.get("InstanceType") or DEFAULT_INSTANCE_TYPE]
        ),
        subnets=tuple(settings["subnets"]),
        security_groups=tuple(groups),
        is_spot=settings["capacityType"] == "SPOT",
        block_devices=data["BlockDeviceMappings"],
        user_data=data.get("UserData"),
        metadata_options=data.get("MetadataOptions")
        or {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        tags={
            "instance": {**given.get("instance", {}), **tags},
            "volume": {**given.get("volume", {}), **tags},
        },
    )


def remove_template(account: str, region: str, name: str) -> None:
    """Removes EKS's own launch template."""
    ec2: Any = ec2_backends[account][region]
    if name in ec2.launch_template_name_to_ids:
        ec2.delete_launch_template(name, None)


def _security_groups(data: Mapping[str, Any]) -> list[str]:
    groups = list(data.get("SecurityGroupIds") or ())
    for interface in data.get("NetworkInterfaces") or ():
        groups.extend(interface.get("Groups") or interface.get("SecurityGroupIds") or ())
    return groups


def _block_devices(data: Mapping[str, Any], disk_size: int | None) -> list[dict[str, Any]]:
    devices = list(data.get("BlockDeviceMappings") or ())
    if not any(device.get("DeviceName") == _ROOT_DEVICE for device in devices):
        devices.insert(0, {"DeviceName": _ROOT_DEVICE, "Ebs": {"VolumeType": "gp3"}})
    made = []
    for device in devices:
        volume = dict(device.get("Ebs") or {})
        volume.setdefault("VolumeSize", disk_size or DEFAULT_DISK_GIB)
        # What EC2 takes where a launch template says nothing of it.
        volume.setdefault("DeleteOnTermination", True)
        made.append({**device, "Ebs": volume})
    return made


def _image(ec2: Any, region: str, ami_type: str) -> str:
    """Returns the image of an AMI type; it is registered when it is first used."""
    name = f"amazon-eks-node-{ami_type.lower()}"
    for image in ec2.amis.values():
        if image.name == name:
            return str(image.id)
    architecture = "arm64" if "ARM" in ami_type.upper() else "x86_64"
    image = ec2.register_image(name, f"EKS node image {ami_type} in {region}")
    image.architecture, image.root_device_name = architecture, _ROOT_DEVICE
    image.owner_id = "602401143452"  # the account of EKS in the commercial regions
    return str(image.id)
