"""IAM roles."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import POLICY
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.tagging import iam_tags

_ROLE = {"RoleName": "{id}"}


def _inline_names(policies: list[dict[str, Any]]) -> set[str]:
    return {policy["name"] for policy in policies if policy.get("name")}


def _put_inline(context: Context) -> None:
    wanted: list[dict[str, Any]] = context.inputs.get("inlinePolicies") or []
    before: list[dict[str, Any]] = context.old_inputs.get("inlinePolicies") or []
    for name in sorted(_inline_names(before) - _inline_names(wanted)):
        context.call("delete_role_policy", RoleName=context.id, PolicyName=name)
    for policy in wanted:
        if policy.get("name"):
            context.call(
                "put_role_policy",
                RoleName=context.id,
                PolicyName=policy["name"],
                PolicyDocument=policy["policy"],
            )


def _attach(context: Context) -> None:
    wanted = set(context.inputs.get("managedPolicyArns") or [])
    before = set(context.old_inputs.get("managedPolicyArns") or [])
    for arn in sorted(before - wanted):
        context.call("detach_role_policy", RoleName=context.id, PolicyArn=arn)
    for arn in sorted(wanted - before):
        context.call("attach_role_policy", RoleName=context.id, PolicyArn=arn)


def _bound(context: Context) -> None:
    if boundary := context.inputs.get("permissionsBoundary"):
        context.call("put_role_permissions_boundary", RoleName=context.id, PermissionsBoundary=boundary)
    else:
        context.call("delete_role_permissions_boundary", RoleName=context.id)


def _strip(context: Context) -> None:
    """Take off what blocks the deletion: what this role put there, or all with `forceDetachPolicies`."""
    forced = bool(context.inputs.get("forceDetachPolicies"))
    if forced or context.inputs.get("inlinePolicies"):
        for name in context.find("list_role_policies", "PolicyNames", RoleName=context.id) or []:
            context.call("delete_role_policy", RoleName=context.id, PolicyName=name)
    if forced or context.inputs.get("managedPolicyArns"):
        attached = context.find(
            "list_attached_role_policies", "AttachedPolicies[].PolicyArn", RoleName=context.id
        )
        for arn in attached or []:
            context.call("detach_role_policy", RoleName=context.id, PolicyArn=arn)


_INLINE = Run(_put_inline, on=("inlinePolicies",))
_ATTACHED = Run(_attach, on=("managedPolicyArns",))

ROLE = ResourceType(
    pulumi_type="aws:iam/role:Role",
    service="iam",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role",
    id=Id(template="{name}"),
    create=(Call("create_role", item="Role"), _INLINE, _ATTACHED),
    read=Read("get_role", set=_ROLE, item="Role"),
    update=(
        Call(
            "update_assume_role_policy",
            set=_ROLE,
            on=("assumeRolePolicy",),
            names={"assumeRolePolicy": "PolicyDocument"},
        ),
        Call("update_role", set=_ROLE, on=("description", "maxSessionDuration"), full=True),
        Run(_bound, on=("permissionsBoundary",)),
        _INLINE,
        _ATTACHED,
    ),
    delete=(Run(_strip), Call("delete_role", set=_ROLE)),
    name=Name(prefix="namePrefix", max_length=64, allowed="a-zA-Z0-9+=,.@_-"),
    tags=iam_tags("role", "RoleName"),
    fields={
        "name": Field("RoleName"),
        "assumeRolePolicy": Field("AssumeRolePolicyDocument", convert=POLICY),
        "description": Field(default=""),
        "maxSessionDuration": Field(default=3600),
        "path": Field(default="/"),
        "permissionsBoundary": Field(read="PermissionsBoundary.PermissionsBoundaryArn"),
        "inlinePolicies": Field(write_only=True),
        "managedPolicyArns": Field(write_only=True),
        "uniqueId": Field(read="RoleId"),
    },
    force_new=("name", "namePrefix", "path"),
    local=("forceDetachPolicies",),
)

TYPES = (ROLE,)
