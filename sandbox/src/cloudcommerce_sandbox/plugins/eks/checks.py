"""What is refused before anything is registered.

That is unknown properties, what the official plugin refuses, and what the sandbox does not implement.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi_eks

from cloudcommerce_sandbox.plugins import sdk, validation
from cloudcommerce_sandbox.plugins.provider import Failure
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, reveal

CLUSTER: Final = "eks:index:Cluster"
ADDON: Final = "eks:index:Addon"
_DEFAULT_GROUP: Final = "the component's own node group, made of an Auto Scaling group: use aws.eks.NodeGroup"
_AWS_AUTH: Final = "the aws-auth ConfigMap: use accessEntries"
_UNSUPPORTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "desiredCapacity",
            "gpu",
            "instanceProfileName",
            "instanceType",
            "maxSize",
            "minSize",
            "nodeAmiId",
            "nodeAssociatePublicIpAddress",
            "nodeGroupOptions",
            "nodePublicKey",
            "nodeRootVolumeEncrypted",
            "nodeRootVolumeSize",
            "nodeSubnetIds",
            "nodeUserData",
        ),
        _DEFAULT_GROUP,
    ),
    **dict.fromkeys(("roleMappings", "userMappings", "instanceRoles"), _AWS_AUTH),
    "autoMode": "EKS Auto Mode",
    "createOidcProvider": "roles by OIDC, whose issuer only AWS serves: use aws.eks.PodIdentityAssociation",
    "creationRoleProvider": "another creator of the cluster, which the official plugin takes from Node only",
    "fargate": "Fargate: use aws.eks.NodeGroup",
    "proxy": "a proxy in front of the API server",
    "vpcCniOptions.securityContextPrivileged": "a patch of the CNI's DaemonSet",
}
_READ_BY_HAND: Final = ("fargate", "storageClasses")
"""Alternatives of text and an object, of which the SDK's reader of types sees the first."""


def failures(component: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what is wrong with the inputs of a component.

    Args:
        component: Its type token.
        inputs: Its inputs as `wire.decode` makes them.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    properties = dict(sdk.schema(component).inputs)
    if component == ADDON:
        return list(validation.failures(given, properties))
    by_hand = {name: sdk.Property(sdk.Kind("any")) for name in _READ_BY_HAND}
    found = list(validation.failures(given, {**properties, **by_hand}))
    plain = reveal(given)
    found += _storage_class_failures(plain.get("storageClasses"))
    return found or [*_refused(plain), *_conflicts(plain)]


def machine_failure() -> str:
    """Return why no kubeconfig of a cluster could work here; "" when one can."""
    if shutil.which("aws"):
        return ""
    return (
        "Could not find aws CLI for EKS. See "
        "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    )


def _storage_class_failures(classes: Any) -> Iterator[Failure]:
    if classes is None or classes is UNKNOWN or isinstance(classes, str):
        return
    kind = sdk.Kind("map", item=sdk.Kind("object", source=pulumi_eks.StorageClassArgs))
    yield from validation.failures({"storageClasses": classes}, {"storageClasses": sdk.Property(kind)})


def _refused(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for path, reason in _UNSUPPORTED.items():
        top, _, member = path.partition(".")
        value = inputs.get(top)
        if member:
            value = value.get(member) if isinstance(value, Mapping) else None
        if value not in (None, False, "") and value not in ([], {}):
            yield Failure(path, f"the sandbox does not implement it: {reason}")
    if inputs.get("skipDefaultNodeGroup") is not True:
        reason = f"must be true: the sandbox does not implement {_DEFAULT_GROUP}"
        yield Failure("skipDefaultNodeGroup", reason)
    if inputs.get("authenticationMode") not in ("API", UNKNOWN):
        yield Failure("authenticationMode", f"must be API: the sandbox does not implement {_AWS_AUTH}")
    if inputs.get("vpcId") is None:
        yield Failure("vpcId", "is needed: the sandbox does not implement the use of the default VPC")


def _conflicts(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield what the official plugin says about properties that exclude each other."""
    subnets = [name for name in ("publicSubnetIds", "privateSubnetIds") if inputs.get(name) is not None]
    if inputs.get("subnetIds") is not None and subnets:
        yield Failure("subnetIds", f"and {subnets[0]} are mutually exclusive: choose a single approach")
    if inputs.get("subnetIds") is None and not subnets:
        yield Failure("subnetIds", "is needed, or publicSubnetIds and privateSubnetIds")
    if inputs.get("endpointPublicAccess") is False and inputs.get("publicAccessCidrs") is not None:
        yield Failure("publicAccessCidrs", "can only be set when endpointPublicAccess is true")
    cni = inputs.get("vpcCniOptions")
    if isinstance(cni, Mapping) and cni.get("externalSnat") and cni.get("cniExternalSnat"):
        yield Failure("vpcCniOptions.externalSnat", "and cniExternalSnat mean the same: give one of them")
