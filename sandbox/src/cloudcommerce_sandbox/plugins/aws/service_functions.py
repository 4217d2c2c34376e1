"""Functions of the provider that ask one service: EKS and Systems Manager."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cloudcommerce_sandbox.plugins.aws.errors import AwsError
from cloudcommerce_sandbox.plugins.provider import ProviderError
from cloudcommerce_sandbox.plugins.wire import Secret

if TYPE_CHECKING:
    from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider

_BLOCKS: Final = {
    "accessConfigs": "accessConfig",
    "certificateAuthorities": "certificateAuthority",
    "computeConfigs": "computeConfig",
    "controlPlaneScalingConfigs": "controlPlaneScalingConfig",
    "upgradePolicies": "upgradePolicy",
    "zonalShiftConfigs": "zonalShiftConfig",
}
_SCALARS: Final = (
    "arn",
    "deletionProtection",
    "endpoint",
    "name",
    "platformVersion",
    "roleArn",
    "status",
    "version",
)
_VPC_CONFIG: Final = "resourcesVpcConfig"


def addon_version(provider: AwsProvider, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the newest version of an add-on for a version of Kubernetes, or EKS's default one.

    Raises:
        ProviderError: EKS has no such add-on for the version.
    """
    addon, kubernetes = _needed(args, "addonName"), _needed(args, "kubernetesVersion")
    request = {"addonName": addon, "kubernetesVersion": kubernetes}
    told = provider.clients.call("eks", region, "describe_addon_versions", request)
    versions = [version for found in told.get("addons") or () for version in found.get("addonVersions") or ()]
    most_recent = bool(args.get("mostRecent"))
    chosen = next((version for version in versions if most_recent or _is_default(version, kubernetes)), None)
    if chosen is None:
        message = f"EKS has no version of the add-on {addon!r} for Kubernetes {kubernetes}"
        raise ProviderError(message)
    return {
        "id": addon,
        "region": region,
        **request,
        "mostRecent": most_recent,
        "version": chosen["addonVersion"],
    }


def _is_default(version: Mapping[str, Any], kubernetes: str) -> bool:
    return any(
        fit.get("defaultVersion") and fit.get("clusterVersion") == kubernetes
        for fit in version.get("compatibilities") or ()
    )


def cluster(provider: AwsProvider, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an EKS cluster."""
    name = _needed(args, "name")
    told = provider.clients.call("eks", region, "describe_cluster", {"name": name})["cluster"]
    network: Mapping[str, Any] = told.get("kubernetesNetworkConfig") or {}
    load_balancing = network.get("elasticLoadBalancing")
    logging = (told.get("logging") or {}).get("clusterLogging") or ()
    issuer = ((told.get("identity") or {}).get("oidc") or {}).get("issuer")
    created: datetime.datetime | None = told.get("createdAt")
    return {
        "id": name,
        "region": region,
        **{member: told[member] for member in _SCALARS if told.get(member) is not None},
        **{output: [told[member]] for output, member in _BLOCKS.items() if told.get(member)},
        "createdAt": created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if created else "",
        "enabledClusterLogTypes": [
            kind for setup in logging if setup.get("enabled") for kind in setup.get("types") or ()
        ],
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        "kubernetesNetworkConfigs": [
            {
                **{key: value for key, value in network.items() if key != "elasticLoadBalancing"},
                "elasticLoadBalancings": [load_balancing] if load_balancing else [],
            }
        ],
        "tags": told.get("tags") or {},
        "vpcConfig": told.get(_VPC_CONFIG) or {},
    }


def parameter(provider: AwsProvider, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Read a parameter of Systems Manager; its value is a secret, as in Terraform's provider.

    Raises:
        ProviderError: There is no such parameter.
    """
    name = _needed(args, "name")
    decrypts = args.get("withDecryption") is not False
    try:
        told = provider.clients.call(
            "ssm", region, "get_parameter", {"Name": name, "WithDecryption": decrypts}
        )["Parameter"]
    except AwsError as error:
        if error.is_gone:
            message = f"Systems Manager has no parameter {name!r} in {region}"
            raise ProviderError(message) from error
        raise
    is_secret = told["Type"] == "SecureString"
    return {
        "id": name,
        "region": region,
        "name": name,
        "arn": told["ARN"],
        "type": told["Type"],
        "value": Secret(told["Value"]),
        **({} if is_secret else {"insecureValue": told["Value"]}),
        "version": told["Version"],
        "withDecryption": decrypts,
    }


def _needed(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value:
        message = f"{name}: is required and was not given"
        raise ProviderError(message)
    return value
