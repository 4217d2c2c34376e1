"""What EKS refuses of node groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.configuration import (
    is_node_user_data,
    max_pods,
    reserved_memory_mib,
)
from cloudcommerce_sandbox.emulator.extensions.eks.instance_types import instance_type
from cloudcommerce_sandbox.emulator.extensions.eks.launch import launch_data, template_version
from cloudcommerce_sandbox.emulator.extensions.eks.nodegroup import Nodegroup
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.eks import API, GUIDE, cluster_of, parameter
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError, service_model

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
_EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_MOST_UNAVAILABLE = 100
_AUTO_SCALING = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference"
_TEMPLATES = f"{GUIDE}/launch-templates.html"


@refuses("eks", "CreateNodegroup", source=f"{API}/API_CreateNodegroup.html")
def node_group_name_rules(request: Request) -> None:
    """1 to 63 letters, digits, dashes and underscores, the first a letter or a digit."""
    if not _NAME.fullmatch(str(request.get("nodegroupName"))):
        name = request.get("nodegroupName")
        raise parameter(f"The node group name {name!r} is not 1 to 63 of A-Z, a-z, 0-9, - and _")


@refuses("eks", "CreateNodegroup", source=f"{GUIDE}/create-node-role.html")
def node_role_without_trust(request: Request) -> None:
    """EC2 must be able to assume the nodes' role."""
    arn = str(request.get("nodeRole"))
    if state.role(arn) is None:
        raise ApiError("InvalidRequestException", f"The role with name {arn} cannot be found.", 400)
    if not state.trusts(arn, "ec2.amazonaws.com"):
        raise parameter(
            "Following required service principals [ec2.amazonaws.com] were not found in the trust "
            f"relationships of nodeRole {arn}"
        )


@refuses("eks", "CreateNodegroup", source=f"{GUIDE}/network-reqs.html")
def subnets_of_a_node_group(request: Request) -> None:
    """Subnets must exist, in the cluster's VPC."""
    subnets, cluster = request.get("subnets") or [], cluster_of(request)
    if not subnets:
        raise parameter("Subnets are not specified")
    state.require_subnets(request.region, subnets, "InvalidParameterException")
    for subnet in subnets:
        vpc = state.backend("ec2", request.region).get_subnet(subnet).vpc_id
        if cluster is not None and vpc != cluster.network.vpc_id:
            raise parameter(f"Subnet {subnet} is in {vpc}; the cluster is in {cluster.network.vpc_id}")


@refuses("eks", "CreateNodegroup", "UpdateNodegroupConfig", source=f"{API}/API_NodegroupScalingConfig.html")
def sizes_of_a_node_group(request: Request) -> None:
    """The desired size is between the smallest and the largest."""
    given = request.get("scalingConfig")
    if not given:
        return
    group = _group_of(request)
    if group is None and request.operation == "UpdateNodegroupConfig":
        return  # there is none: that is the answer, not its size
    sizes = {**(group.sizes() if group else {"minSize": 1, "maxSize": 2, "desiredSize": 2}), **given}
    low, wanted, high = sizes["minSize"], sizes["desiredSize"], sizes["maxSize"]
    if high < 1 or low < 0:
        raise parameter(f"maxSize must be at least 1 and minSize at least 0, got {high} and {low}")
    if low > wanted:
        raise parameter(f"Minimum capacity {low} can't be greater than desired size {wanted}")
    if wanted > high:
        raise parameter(f"Desired capacity {wanted} can't be greater than max size {high}")


@refuses("autoscaling", "SetDesiredCapacity", source=f"{_AUTO_SCALING}/API_SetDesiredCapacity.html")
def desired_capacity_out_of_bounds(request: Request) -> None:
    """The desired capacity is between the group's smallest and largest."""
    name, wanted = request.get("AutoScalingGroupName"), request.get("DesiredCapacity")
    group = state.backend("autoscaling", request.region).autoscaling_groups.get(name)
    if group is None or wanted is None:
        return
    for limit, beyond, word in (
        (group.max_size, wanted > group.max_size, "above max"),
        (group.min_size, wanted < group.min_size, "below min"),
    ):
        if beyond:
            message = (
                f"New SetDesiredCapacity value {wanted} is {word} value {limit} for the AutoScalingGroup."
            )
            raise ApiError("ValidationError", message, 400)


@refuses("eks", "CreateNodegroup", source=f"{GUIDE}/choosing-instance-type.html")
def instance_types_of_a_node_group(request: Request) -> None:
    """Instance types must exist and be of the image's architecture."""
    names = request.get("instanceTypes") or []
    kinds = {name: instance_type(name) for name in names}
    unknown = [name for name, kind in kinds.items() if kind is None]
    if unknown:
        raise parameter(f"The following supplied instance types do not exist: [{', '.join(unknown)}]")
    ami_type = request.get("amiType") or "AL2023_x86_64_STANDARD"
    wanted = "arm64" if "ARM" in ami_type.upper() else "x86_64"
    wrong = [name for name, kind in kinds.items() if kind is not None and kind.architecture != wanted]
    if wrong and ami_type != "CUSTOM" and not _template_data(request).get("ImageId"):
        raise parameter(
            f"[{', '.join(wrong)}] are not valid instance types for requested amiType {ami_type}, "
            f"which is {wanted}"
        )


@refuses("eks", "CreateNodegroup", source=f"{API}/API_CreateNodegroup.html")
def unknown_image_or_capacity_type(request: Request) -> None:
    """Image and capacity types are among those that the API names."""
    for member, shape in (("amiType", "AMITypes"), ("capacityType", "CapacityTypes")):
        value, known = request.get(member), _enumeration(shape)
        if value and value not in known:
            raise parameter(f"{member} {value} is none of {', '.join(known)}")


def _enumeration(shape: str) -> list[str]:
    model: Any = service_model("eks")
    return list(model.shape_for(shape).enum)


@refuses("eks", "CreateNodegroup", source=_TEMPLATES)
def settings_that_belong_into_the_launch_template(request: Request) -> None:
    """With a launch template, disk and remote access are there, and instance types in one place."""
    if not request.get("launchTemplate"):
        return
    if request.get("diskSize"):
        raise parameter("Disk size must be specified within the launch template.")
    if request.get("remoteAccess"):
        raise parameter("Remote access configuration cannot be specified with a launch template.")
    data = _template_data(request)
    if data.get("InstanceType") and request.get("instanceTypes"):
        raise parameter("Instance types are in the launch template and in the request; take one of them.")
    for member in ("amiType", "version", "releaseVersion"):
        if data.get("ImageId") and request.get(member) not in (None, "CUSTOM"):
            raise parameter(f"You cannot specify the field {member} when using a custom AMI.")


@refuses("eks", "CreateNodegroup", "UpdateNodegroupVersion", source=_TEMPLATES)
def launch_template_of_a_node_group(request: Request) -> None:
    """It exists and leaves to EKS what is EKS's: instance profile, subnets, Spot, hibernation."""
    reference = request.get("launchTemplate")
    if not reference:
        return
    data, name = _template_data(request), reference.get("id") or reference.get("name")
    if data.get("IamInstanceProfile"):
        raise parameter(
            f"Launch template {name} should not specify an instance profile. The noderole in your request "
            "will be used to construct an instance profile."
        )
    if any(interface.get("SubnetId") for interface in data.get("NetworkInterfaces") or ()):
        raise parameter(f"Launch template {name} should not specify a subnet; name subnets in the request.")
    if data.get("InstanceMarketOptions"):
        raise parameter(f"Launch template {name} should not request Spot instances; take capacityType SPOT.")
    if (data.get("HibernationOptions") or {}).get("Configured"):
        raise parameter(f"Launch template {name} should not configure hibernation.")
    _require_user_data(data, name)


def _require_user_data(data: Mapping[str, Any], name: str) -> None:
    if not data.get("UserData"):
        return
    user_data = str(
        data["UserData"].as_encoded() if hasattr(data["UserData"], "as_encoded") else data["UserData"]
    )
    try:
        max_pods(user_data)
        reserved_memory_mib(user_data)
        fits = bool(data.get("ImageId")) or is_node_user_data(user_data)
    except ValueError as error:
        raise parameter(f"User data of launch template {name} cannot be read: {error}") from error
    if not fits:
        raise parameter(
            f"Ec2LaunchTemplateInvalidConfiguration: User data of {name} was not in the MIME multipart "
            "format."
        )


@refuses("eks", "UpdateNodegroupVersion", source=f"{GUIDE}/update-managed-node-group.html")
def another_launch_template(request: Request) -> None:
    """A node group takes new versions of its launch template, and never another one."""
    group, reference = _group_of(request), request.get("launchTemplate")
    if group is None or not reference:
        return
    current = group.settings.get("launchTemplate")
    if current is None:
        raise parameter(f"Node group {group.name} was created without a launch template and cannot get one.")
    if (
        reference.get("id", current["id"]) != current["id"]
        or reference.get("name", current["name"]) != current["name"]
    ):
        raise parameter(
            f"Node group {group.name} has launch template {current['id']}; it cannot take another."
        )


@refuses("eks", "CreateNodegroup", "UpdateNodegroupVersion", source=f"{API}/API_CreateNodegroup.html")
def version_of_a_node_group(request: Request) -> None:
    """A new node group has the cluster's version; an update goes up to it and not back."""
    version, cluster = request.get("version"), cluster_of(request)
    if not version or cluster is None:
        return
    if request.operation == "CreateNodegroup" and version != cluster.version:
        raise parameter(f"Requested Nodegroup version {version} is not the cluster's, {cluster.version}.")
    wanted = kubernetes_catalog.minor(version)
    if not 0 <= wanted <= kubernetes_catalog.minor(cluster.version):
        raise parameter(f"Nodegroup version {version} must not be above the cluster's, {cluster.version}.")
    group = _group_of(request)
    current = group.settings.get("version") if group else None
    if current and wanted < kubernetes_catalog.minor(current):
        raise parameter(f"Nodegroup version {version} is below its present {current}; it cannot go back.")


@refuses("eks", "CreateNodegroup", "UpdateNodegroupConfig", source=f"{API}/API_Taint.html")
def taints_of_a_node_group(request: Request) -> None:
    """Each has a key and one of three effects, and none is there twice."""
    given = request.get("taints") or ()
    taints: Iterable[Any] = (given.get("addOrUpdateTaints") or ()) if isinstance(given, dict) else given
    seen = set()
    for taint in taints:
        identity = (taint.get("key"), taint.get("effect"))
        if not taint.get("key") or taint.get("effect") not in _EFFECTS:
            raise parameter(f"Taint {dict(taint)} needs a key and an effect of {', '.join(_EFFECTS)}")
        if identity in seen:
            raise parameter(f"Taint {identity[0]} with effect {identity[1]} is there twice")
        seen.add(identity)


@refuses("eks", "CreateNodegroup", "UpdateNodegroupConfig", source=f"{API}/API_CreateNodegroup.html")
def labels_of_a_node_group(request: Request) -> None:
    """Labels keep out of Kubernetes' and EKS's own names."""
    given = request.get("labels") or {}
    labels = given.get("addOrUpdateLabels") or {} if request.operation == "UpdateNodegroupConfig" else given
    for label in labels:
        if label.startswith(_RESERVED_LABELS):
            raise parameter(f"Label {label} cannot contain reserved prefixes {list(_RESERVED_LABELS)}")


@refuses("eks", "CreateNodegroup", "UpdateNodegroupConfig", source=f"{API}/API_NodegroupUpdateConfig.html")
def update_limits_of_a_node_group(request: Request) -> None:
    """Either a number or a share of nodes may be unavailable, 1 to 100."""
    config = request.get("updateConfig")
    if not config:
        return
    limits = [config[name] for name in ("maxUnavailable", "maxUnavailablePercentage") if name in config]
    if len(limits) != 1 or not 1 <= limits[0] <= _MOST_UNAVAILABLE:
        raise parameter(
            f"updateConfig takes maxUnavailable or maxUnavailablePercentage, 1 to 100, got {dict(config)}"
        )


def _group_of(request: Request) -> Nodegroup | None:
    cluster = cluster_of(request)
    return cluster.nodegroups.get(str(request.get("nodegroupName"))) if cluster else None


def _template_data(request: Request) -> dict[str, Any]:
    reference = request.get("launchTemplate")
    if not reference:
        return {}
    if request.operation == "UpdateNodegroupVersion" and not (reference.get("id") or reference.get("name")):
        group = _group_of(request)
        reference = {**((group.settings.get("launchTemplate") or {}) if group else {}), **reference}
    try:
        template_version(state.ACCOUNT, request.region, reference)
        return launch_data(state.ACCOUNT, request.region, reference)
    except LookupError as error:
        raise parameter(str(error)) from error
