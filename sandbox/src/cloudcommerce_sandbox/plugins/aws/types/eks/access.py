"""Who may do what in a cluster: access entries and the access policies associated with them."""

from __future__ import annotations

from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.context import UNKNOWN, Properties
from cloudcommerce_sandbox.plugins.aws.declaration import EVERYTHING, Call, Field, Id, Read, ResourceType
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags
from cloudcommerce_sandbox.plugins.aws.types.eks import updates

_ENTRY: Final = {"clusterName": "{clusterName}", "principalArn": "{principalArn}"}


def _entry_of(identifier: str) -> Properties:
    cluster, _, principal = identifier.partition(":")
    return {"clusterName": cluster, "principalArn": principal}


def _scope(inputs: Properties) -> list[tuple[str, str]]:
    """Say what EKS says: namespaces belong to the scope of namespaces, and only there."""
    scope: Any = inputs.get("accessScope")
    if not isinstance(scope, dict) or scope.get("type") is UNKNOWN:
        return []
    namespaces = scope.get("namespaces")
    if scope.get("type") == "namespace" and not namespaces:
        return [("accessScope.namespaces", "is needed because the type of the scope is namespace")]
    if scope.get("type") == "cluster" and namespaces:
        return [("accessScope.namespaces", "can't be given: the type of the scope is cluster")]
    return []


ACCESS_ENTRY = ResourceType(
    pulumi_type="aws:eks/accessEntry:AccessEntry",
    service="eks",
    docs=f"{updates.DOCS}/eks_access_entry",
    id=Id(template="{clusterName}:{principalArn}", parse=_entry_of),
    create=(
        Call(
            "create_access_entry",
            item="accessEntry",
            # The principal is new, and EKS does not know it yet.
            retry=("InvalidParameterException: The specified principalArn is invalid: invalid principal",),
        ),
    ),
    read=Read("describe_access_entry", set=_ENTRY, item="accessEntry"),
    update=(
        Call(
            "update_access_entry",
            set=_ENTRY,
            on=("kubernetesGroups", "userName"),
            full=True,
        ),
    ),
    delete=(Call("delete_access_entry", set=_ENTRY),),
    tags=arn_tags(arn="{accessEntryArn}"),
    fields={"type": Field(default="STANDARD"), "userName": Field("username")},
    force_new=("clusterName", "principalArn", "type"),
    kept=("kubernetesGroups",),
)

ACCESS_POLICY_ASSOCIATION = ResourceType(
    pulumi_type="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    service="eks",
    docs=f"{updates.DOCS}/eks_access_policy_association",
    id=Id(template="{clusterName}#{principalArn}#{policyArn}"),
    create=(
        Call(
            "associate_access_policy",
            item="associatedAccessPolicy",
            retry=("ResourceNotFoundException: The specified principalArn could not be found",),
        ),
    ),
    read=Read(
        "list_associated_access_policies",
        set=_ENTRY,
        item="associatedAccessPolicies[?policyArn=='{policyArn}'] | [0]",
    ),
    delete=(Call("disassociate_access_policy", set={**_ENTRY, "policyArn": "{policyArn}"}),),
    force_new=EVERYTHING,
    delete_before_replace=True,
    check=(_scope,),
)
