"""EKS add-ons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.context import UNKNOWN, Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import UNORDERED, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Read, ResourceType, Run, Wait
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags
from cloudcommerce_sandbox.plugins.aws.types.eks import updates
from cloudcommerce_sandbox.plugins.provider import ProviderError

_UPDATE_SECONDS: Final = 1200.0
_ADDON: Final = {"clusterName": "{clusterName}", "addonName": "{addonName}"}
_CHANGEABLE: Final = (
    "addonVersion",
    "configurationValues",
    "podIdentityAssociations",
    "serviceAccountRoleArn",
)


def _find(context: Context) -> Mapping[str, Any] | None:
    """Find the add-on; EKS tells its pod identity associations by ARN only."""
    cluster, name = context.expand("{clusterName}"), context.expand("{addonName}")
    addon: dict[str, Any] | None = context.find(
        "describe_addon", "addon", clusterName=cluster, addonName=name
    )
    if addon is None:
        return None
    associations = [
        context.find(
            "describe_pod_identity_association",
            "association.{roleArn: roleArn, serviceAccount: serviceAccount}",
            clusterName=cluster,
            associationId=arn.rpartition("/")[2],
        )
        for arn in addon.get("podIdentityAssociations") or ()
    ]
    return {**addon, "podIdentityAssociations": [found for found in associations if found]}


def _update(context: Context) -> None:
    cluster, name = context.state["clusterName"], context.state["addonName"]
    wanted, changed = context.inputs, context.changed
    request: dict[str, Any] = {"clusterName": cluster, "addonName": name}
    if "addonVersion" in changed and wanted.get("addonVersion"):
        request["addonVersion"] = wanted["addonVersion"]
    if "configurationValues" in changed:
        request["configurationValues"] = wanted.get("configurationValues") or ""
    if "podIdentityAssociations" in changed:
        request["podIdentityAssociations"] = wanted.get("podIdentityAssociations") or []
    if "serviceAccountRoleArn" in changed or wanted.get("serviceAccountRoleArn"):
        request["serviceAccountRoleArn"] = wanted.get("serviceAccountRoleArn") or ""
    conflicts = wanted.get("resolveConflictsOnUpdate")
    if conflicts:
        request["resolveConflicts"] = conflicts
    target = {"name": cluster, "addonName": name}
    try:
        updates.run(context, "update_addon", target, request, seconds=_UPDATE_SECONDS)
    except ProviderError as error:
        if conflicts == "OVERWRITE":
            raise
        message = f"{error}; consider resolveConflictsOnUpdate OVERWRITE"
        raise ProviderError(message) from error


def _same_json(left: Any, right: Any) -> bool:
    return bool(_parsed(left) == _parsed(right))


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text) if text else {}
    except (TypeError, ValueError):
        return text  # YAML, which EKS takes as well


def _no_preserve_on_create(inputs: Properties) -> list[tuple[str, str]]:
    conflicts: Any = inputs.get("resolveConflictsOnCreate")
    if conflicts in (None, UNKNOWN, "NONE", "OVERWRITE"):
        return []
    return [("resolveConflictsOnCreate", f"{conflicts!r} is not one of NONE, OVERWRITE")]


ADDON = ResourceType(
    pulumi_type="aws:eks/addon:Addon",
    service="eks",
    docs=f"{updates.DOCS}/eks_addon",
    id=Id(template="{clusterName}:{addonName}"),
    create=(
        Call(
            "create_addon",
            item="addon",
            set={"resolveConflicts": "{resolveConflictsOnCreate}"},
            retry=(
                "InvalidParameterException: CREATE_FAILED",
                "InvalidParameterException: does not exist",
            ),
        ),
    ),
    read=Read(function=_find),
    update=(Run(_update, on=_CHANGEABLE),),
    delete=(Call("delete_addon", set={**_ADDON, "preserve": "{preserve}"}),),
    tags=arn_tags(),
    fields={
        "arn": Field("addonArn"),
        "configurationValues": Field(convert=Convert(equal=_same_json)),
        "podIdentityAssociations": Field(convert=UNORDERED, absent=[]),
        "serviceAccountRoleArn": Field(default="", absent=""),
    },
    force_new=("addonName", "clusterName", "namespaceConfig"),
    kept=("namespaceConfig",),
    local=("preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"),
    created=Wait(
        "status",
        until=("ACTIVE",),
        failed=("CREATE_FAILED",),
        timeout=1200.0,
        reasons=updates.ISSUES,
    ),
    updated=Wait(
        "status",
        until=("ACTIVE", "DEGRADED"),
        failed=("UPDATE_FAILED",),
        timeout=_UPDATE_SECONDS,
        reasons=updates.ISSUES,
    ),
    deleted=Wait("status", until=(), failed=("DELETE_FAILED",), timeout=2400.0, reasons=updates.ISSUES),
    check=(_no_preserve_on_create,),
)
