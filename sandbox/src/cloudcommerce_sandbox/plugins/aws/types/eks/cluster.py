"""EKS clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import UNKNOWN, Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import UNORDERED, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run, Wait
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags
from cloudcommerce_sandbox.plugins.aws.types.eks import updates

_LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_UPDATE_SECONDS: Final = 3600.0
_ENDPOINT: Final = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
_NOT_PLAYED: Final = "the processes of the sandbox's control plane have settings of their own"


def _logging(wanted: list[str]) -> dict[str, Any]:
    """Say of every kind of log whether it is wanted: EKS leaves those that are not named as they are."""
    unwanted = [name for name in _LOG_TYPES if name not in wanted]
    setups = ((wanted, True), (unwanted, False))
    return {"clusterLogging": [{"types": types, "enabled": on} for types, on in setups if types]}


def _logged(logging: dict[str, Any]) -> list[str]:
    setups = logging.get("clusterLogging") or ()
    return [name for setup in setups if setup.get("enabled") for name in setup.get("types") or ()]


_LOGS: Final = Convert(send=_logging, read=_logged, equal=UNORDERED.equal)


def _find(context: Context) -> Mapping[str, Any] | None:
    """Find the cluster; EKS does not tell whether it made the creator an administrator, its default."""
    cluster: dict[str, Any] | None = context.find("describe_cluster", "cluster", name=context.id)
    if cluster is None:
        return None
    known = context.inputs.get("accessConfig") or context.state.get("accessConfig") or {}
    is_admin = known.get("bootstrapClusterCreatorAdminPermissions", True)
    access = {**(cluster.get("accessConfig") or {}), "bootstrapClusterCreatorAdminPermissions": is_admin}
    return {**cluster, "accessConfig": access}


def _update(context: Context, operation: str, **members: Any) -> None:
    updates.run(
        context,
        operation,
        {"name": context.id},
        {"name": context.id, **members},
        seconds=_UPDATE_SECONDS,
    )


def _change_version(context: Context) -> None:
    _update(
        context,
        "update_cluster_version",
        version=context.inputs["version"],
        **({"force": True} if context.inputs.get("forceUpdateVersion") else {}),
    )


def _encrypt(context: Context) -> None:
    config = context.inputs["encryptionConfig"]
    updates.run(
        context,
        "associate_encryption_config",
        {"name": context.id},
        {"clusterName": context.id, "encryptionConfig": [_encryption(config)]},
        seconds=_UPDATE_SECONDS,
    )


def _encryption(config: Properties) -> dict[str, Any]:
    return {"provider": {"keyArn": config["provider"]["keyArn"]}, "resources": config["resources"]}


def _change_logs(context: Context) -> None:
    wanted = context.inputs.get("enabledClusterLogTypes") or []
    _update(context, "update_cluster_config", logging=_logging(wanted))


def _change_network(context: Context) -> None:
    """Change the endpoint, the subnets and the security groups: EKS takes one kind of change a call."""
    before = context.old_inputs.get("vpcConfig") or {}
    wanted = context.inputs["vpcConfig"]

    def differs(*names: str) -> bool:
        return any(_as_set(before.get(name)) != _as_set(wanted.get(name)) for name in names)

    if differs(*_ENDPOINT):
        cidrs = wanted.get("publicAccessCidrs")
        endpoint = {
            "endpointPrivateAccess": bool(wanted.get("endpointPrivateAccess", False)),
            "endpointPublicAccess": bool(wanted.get("endpointPublicAccess", True)),
            **({"publicAccessCidrs": cidrs} if cidrs else {}),
        }
        _update(context, "update_cluster_config", resourcesVpcConfig=endpoint)
    for name in ("subnetIds", "securityGroupIds", "controlPlaneEgressMode"):
        if differs(name) and wanted.get(name) is not None:
            _update(context, "update_cluster_config", resourcesVpcConfig={name: wanted[name]})


def _as_set(value: Any) -> Any:
    return set(value) if isinstance(value, list) else value


def _settings(name: str, *members: str) -> Callable[[Context], None]:
    """Return a step that sends one property, or those of its members that can be changed."""

    def step(context: Context) -> None:
        value = context.inputs[name]
        if members:
            value = {member: value[member] for member in members if value.get(member) is not None}
        _update(context, "update_cluster_config", **{name: value})

    return step


def _changes(name: str, *members: str) -> Run:
    return Run(
        _settings(name, *members), on=(name,), when=lambda context: context.inputs.get(name) is not None
    )


def _is_decrypted(before: Properties, wanted: Properties) -> bool:
    """Whether encryption shall end, which it can't.

    https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
    """
    return bool(before.get("encryptionConfig")) and not wanted.get("encryptionConfig")


def _closed_to_all(inputs: Properties) -> list[tuple[str, str]]:
    network: Any = inputs.get("vpcConfig")
    if not isinstance(network, dict) or network.get("endpointPublicAccess") is not False:
        return []
    if network.get("endpointPrivateAccess") not in (None, False):
        return []
    reason = "no one could reach the API server: give endpointPrivateAccess or endpointPublicAccess"
    return [("vpcConfig.endpointPrivateAccess", reason)]


def _unknown_logs(inputs: Properties) -> list[tuple[str, str]]:
    wanted: Any = inputs.get("enabledClusterLogTypes")
    if not isinstance(wanted, list):
        return []
    known = ", ".join(_LOG_TYPES)
    return [
        (f"enabledClusterLogTypes[{position}]", f"{name!r} is not one of {known}")
        for position, name in enumerate(wanted)
        if name is not UNKNOWN and name not in _LOG_TYPES
    ]


CLUSTER = ResourceType(
    pulumi_type="aws:eks/cluster:Cluster",
    service="eks",
    docs=f"{updates.DOCS}/eks_cluster",
    id=Id(template="{name}"),
    create=(
        Call(
            "create_cluster",
            item="cluster",
            # The role is new, and EKS does not know it yet or not all of its policies.
            retry=(
                "InvalidParameterException: does not exist",
                "InvalidParameterException: Error in role params",
                "InvalidParameterException: Role could not be assumed",
                "InvalidParameterException: doesn't have the Amazon EKS Managed Policies",
                "InvalidParameterException: IAM role's policy must include",
            ),
        ),
    ),
    read=Read(function=_find),
    # In the order that Terraform's provider keeps.
    update=(
        Run(_change_version, on=("version",), when=lambda context: bool(context.inputs.get("version"))),
        _changes("accessConfig", "authenticationMode"),
        _changes("controlPlaneScalingConfig"),
        _changes("deletionProtection"),
        _changes("kubernetesNetworkConfig", "elasticLoadBalancing"),
        Run(
            _encrypt,
            on=("encryptionConfig",),
            when=lambda context: bool(context.inputs.get("encryptionConfig")),
        ),
        Run(_change_logs, on=("enabledClusterLogTypes",)),
        _changes("upgradePolicy"),
        Run(_change_network, on=("vpcConfig",)),
        _changes("zonalShiftConfig"),
    ),
    delete=(Call("delete_cluster", set={"name": "{id}"}),),
    name=Name(max_length=100, allowed="0-9A-Za-z_-"),
    tags=arn_tags(),
    fields={
        "bootstrapSelfManagedAddons": Field(default=True, write_only=True),
        "enabledClusterLogTypes": Field("logging", convert=_LOGS, absent=[]),
        "encryptionConfig": Field(absent=None),
        "identities": Field(read="identity"),
        "kubernetesNetworkConfig.serviceIpv6Cidr": Field(computed=True),
        "vpcConfig": Field("resourcesVpcConfig"),
        "vpcConfig.clusterSecurityGroupId": Field(computed=True),
        "vpcConfig.vpcId": Field(computed=True),
    },
    force_new=(
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
        "kubernetesNetworkConfig.ipFamily",
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "name",
        "roleArn",
    ),
    force_new_if={"encryptionConfig": _is_decrypted},
    kept=("accessConfig", "controlPlaneScalingConfig", "kubernetesNetworkConfig", "upgradePolicy"),
    no_output=("clusterId",),
    local=("forceUpdateVersion",),
    unsupported={
        "computeConfig": "EKS Auto Mode",
        "defaultAddonsToRemoves": "the removal of add-ons right after creation: say which you want by Addon",
        "kubeApiServerConfig": _NOT_PLAYED,
        "kubeControllerManagerConfig": _NOT_PLAYED,
        "kubeSchedulerConfig": _NOT_PLAYED,
        "outpostConfig": "clusters on Outposts",
        "remoteNetworkConfig": "hybrid nodes",
        "storageConfig": "EKS Auto Mode",
    },
    created=Wait("status", until=("ACTIVE",), failed=("FAILED",), timeout=1800.0, reasons=updates.ISSUES),
    updated=Wait("status", until=("ACTIVE",), failed=("FAILED",), timeout=3600.0, reasons=updates.ISSUES),
    deleted=Wait("status", until=(), failed=("FAILED",), timeout=900.0, reasons=updates.ISSUES),
    check=(conflicts("encryptionConfig", "outpostConfig"), _closed_to_all, _unknown_logs),
)
