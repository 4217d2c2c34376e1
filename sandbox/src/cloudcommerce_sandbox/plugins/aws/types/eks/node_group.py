"""EKS managed node groups."""

from __future__ import annotations

from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import UNKNOWN, Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import ORDERED, UNORDERED
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run, Wait
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags
from cloudcommerce_sandbox.plugins.aws.types.eks import updates

_SECONDS: Final = 3600.0
_BLOCKS: Final = ("nodeRepairConfig", "scalingConfig", "updateConfig")
_GROUP: Final = {"clusterName": "{clusterName}", "nodegroupName": "{nodeGroupName}"}


def _update(context: Context, operation: str, request: dict[str, Any]) -> None:
    cluster, group = context.state["clusterName"], context.state["nodeGroupName"]
    updates.run(
        context,
        operation,
        {"name": cluster, "nodegroupName": group},
        {"clusterName": cluster, "nodegroupName": group, **request},
        seconds=_SECONDS,
    )


def _change_version(context: Context) -> None:
    """Roll the nodes over to another version of Kubernetes, of the image or of the launch template."""
    request: dict[str, Any] = {"force": bool(context.inputs.get("forceUpdateVersion"))}
    if template := context.inputs.get("launchTemplate"):
        request["launchTemplate"] = {name: value for name, value in template.items() if value is not None}
    for name in ("releaseVersion", "version"):
        if name in context.changed and context.inputs.get(name):
            request[name] = context.inputs[name]
    _update(context, "update_nodegroup_version", request)


def _change_settings(context: Context) -> None:
    before, wanted = context.old_inputs, context.inputs
    request: dict[str, Any] = {
        name: wanted[name] for name in _BLOCKS if name in context.changed and wanted.get(name)
    }
    labels = _label_changes(before.get("labels") or {}, wanted.get("labels") or {})
    taints = _taint_changes(before.get("taints") or [], wanted.get("taints") or [])
    if labels:
        request["labels"] = labels
    if taints:
        request["taints"] = taints
    if request:
        _update(context, "update_nodegroup_config", request)


def _label_changes(before: dict[str, str], wanted: dict[str, str]) -> dict[str, Any]:
    added = {name: value for name, value in wanted.items() if before.get(name) != value}
    removed = sorted(set(before) - set(wanted))
    return {
        **({"addOrUpdateLabels": added} if added else {}),
        **({"removeLabels": removed} if removed else {}),
    }


def _taint_changes(before: list[Properties], wanted: list[Properties]) -> dict[str, Any]:
    """Say which taints to put and which to take away: a taint is known by its key and effect."""
    old, new = _by_key(before), _by_key(wanted)
    added = [taint for key, taint in new.items() if old.get(key) != taint]
    removed = [taint for key, taint in old.items() if key not in new]
    return {
        **({"addOrUpdateTaints": added} if added else {}),
        **({"removeTaints": removed} if removed else {}),
    }


def _by_key(taints: list[Properties]) -> dict[tuple[str, str], Properties]:
    return {
        (taint["key"], taint["effect"]): {
            name: value for name, value in taint.items() if value is not None and not name.startswith("__")
        }
        for taint in taints
    }


def _sizes(inputs: Properties) -> list[tuple[str, str]]:
    sizes: Any = inputs.get("scalingConfig")
    if not isinstance(sizes, dict):
        return []
    least, wanted, most = (sizes[name] for name in ("minSize", "desiredSize", "maxSize"))
    if UNKNOWN in (least, wanted, most):
        return []
    if least <= wanted <= most:
        return []
    reason = f"{wanted} is not between minSize ({least}) and maxSize ({most})"
    return [("scalingConfig.desiredSize", reason)]


def _one_limit(inputs: Properties) -> list[tuple[str, str]]:
    limits: Any = inputs.get("updateConfig")
    if not isinstance(limits, dict):
        return []
    failures = conflicts("maxUnavailable", "maxUnavailablePercentage")(limits)
    return [(f"updateConfig.{path}", reason) for path, reason in failures]


def _one_template(inputs: Properties) -> list[tuple[str, str]]:
    template: Any = inputs.get("launchTemplate")
    if not isinstance(template, dict):
        return []
    failures = [(f"launchTemplate.{path}", reason) for path, reason in conflicts("id", "name")(template)]
    reason = "conflicts with launchTemplate: give it in the launch template"
    return failures + [
        (name, reason) for name in ("diskSize", "remoteAccess") if inputs.get(name) is not None
    ]


NODE_GROUP = ResourceType(
    pulumi_type="aws:eks/nodeGroup:NodeGroup",
    service="eks",
    docs=f"{updates.DOCS}/eks_node_group",
    id=Id(template="{clusterName}:{nodeGroupName}"),
    create=(Call("create_nodegroup", item="nodegroup"),),
    read=Read("describe_nodegroup", set=_GROUP, item="nodegroup"),
    update=(
        Run(_change_version, on=("launchTemplate", "releaseVersion", "version")),
        Run(_change_settings, on=(*_BLOCKS, "labels", "taints")),
    ),
    delete=(Call("delete_nodegroup", set=_GROUP),),
    name=Name("nodeGroupName", prefix="nodeGroupNamePrefix", max_length=63, allowed="0-9A-Za-z_-"),
    tags=arn_tags(),
    fields={
        "arn": Field("nodegroupArn"),
        "instanceTypes": Field(convert=ORDERED),
        "labels": Field(absent={}),
        "nodeGroupName": Field("nodegroupName"),
        "nodeRoleArn": Field("nodeRole"),
        "remoteAccess.sourceSecurityGroupIds": Field("sourceSecurityGroups"),
        "resources": Field(read="resources"),
        "resources.remoteAccessSecurityGroupId": Field(read="remoteAccessSecurityGroup"),
        "subnetIds": Field("subnets"),
        "taints": Field(convert=UNORDERED, absent=[]),
    },
    force_new=(
        "amiType",
        "capacityType",
        "clusterName",
        "diskSize",
        "instanceTypes",
        "launchTemplate.id",
        "launchTemplate.name",
        "nodeGroupName",
        "nodeGroupNamePrefix",
        "nodeRoleArn",
        "remoteAccess",
        "subnetIds",
    ),
    kept=("instanceTypes", "nodeRepairConfig", "updateConfig"),
    local=("forceUpdateVersion",),
    unsupported={"warmPoolConfig": "warm pools of an Auto Scaling group"},
    created=Wait(
        "status", until=("ACTIVE",), failed=("CREATE_FAILED",), timeout=_SECONDS, reasons=updates.ISSUES
    ),
    updated=Wait("status", until=("ACTIVE", "DEGRADED"), timeout=_SECONDS, reasons=updates.ISSUES),
    deleted=Wait("status", until=(), failed=("DELETE_FAILED",), timeout=_SECONDS, reasons=updates.ISSUES),
    check=(conflicts("nodeGroupName", "nodeGroupNamePrefix"), _sizes, _one_limit, _one_template),
)
