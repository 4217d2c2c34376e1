"""IAM roles, policies and instance profiles."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import POLICY
from cloudcommerce_sandbox.plugins.aws.declaration import (
    EVERYTHING,
    Call,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
)
from cloudcommerce_sandbox.plugins.aws.tagging import iam_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_POLICY_VERSIONS = 5
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
    docs=f"{_DOCS}/iam_role",
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
        "permissionsBoundary": Field(
            read="PermissionsBoundary.PermissionsBoundaryArn", default=None, absent=None
        ),
        "forceDetachPolicies": Field(default=False),
        "inlinePolicies": Field(write_only=True),
        "managedPolicyArns": Field(write_only=True),
        "uniqueId": Field(read="RoleId"),
    },
    force_new=("name", "namePrefix", "path"),
    kept=("inlinePolicies", "managedPolicyArns"),
    local=("forceDetachPolicies",),
)


def _role_and_name(identifier: str) -> dict[str, Any]:
    role, _, name = identifier.partition(":")
    return {"role": role, "name": name}


ROLE_POLICY = ResourceType(
    pulumi_type="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    docs=f"{_DOCS}/iam_role_policy",
    id=Id(template="{role}:{name}", parse=_role_and_name),
    create=(Call("put_role_policy"),),
    read=Read("get_role_policy", set={"RoleName": "{role}", "PolicyName": "{name}"}),
    update=(Call("put_role_policy", on=("policy",)),),
    delete=(Call("delete_role_policy"),),
    name=Name(prefix="namePrefix", max_length=128, allowed="a-zA-Z0-9+=,.@_-"),
    fields={
        "name": Field("PolicyName"),
        "role": Field("RoleName"),
        "policy": Field("PolicyDocument", convert=POLICY),
    },
    force_new=("name", "namePrefix", "role"),
)

ROLE_POLICY_ATTACHMENT = ResourceType(
    pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    docs=f"{_DOCS}/iam_role_policy_attachment",
    id=Id(template="{role}/{policyArn}"),
    create=(Call("attach_role_policy"),),
    read=Read(
        "list_attached_role_policies",
        set={"RoleName": "{role}"},
        item="AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]",
    ),
    delete=(Call("detach_role_policy"),),
    fields={"role": Field("RoleName")},
    force_new=EVERYTHING,
    delete_before_replace=True,
)


def _make_room(context: Context) -> None:
    """Drop the oldest version that is not the default one: a managed policy keeps five at most.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    versions: list[dict[str, Any]] = (
        context.find("list_policy_versions", "Versions", PolicyArn=context.id) or []
    )
    if len(versions) < _POLICY_VERSIONS:
        return
    oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:]))
    context.call("delete_policy_version", PolicyArn=context.id, VersionId=oldest["VersionId"])


def _drop_versions(context: Context) -> None:
    for version in context.find("list_policy_versions", "Versions", PolicyArn=context.id) or []:
        if not version["IsDefaultVersion"]:
            context.call("delete_policy_version", PolicyArn=context.id, VersionId=version["VersionId"])


def _read_policy(context: Context) -> dict[str, Any] | None:
    policy: dict[str, Any] | None = context.find("get_policy", "Policy", PolicyArn=context.id)
    if policy is None:
        return None
    document = context.find(
        "get_policy_version",
        "PolicyVersion.Document",
        PolicyArn=context.id,
        VersionId=policy["DefaultVersionId"],
    )
    return {**policy, "PolicyDocument": document}


POLICY_TYPE = ResourceType(
    pulumi_type="aws:iam/policy:Policy",
    service="iam",
    docs=f"{_DOCS}/iam_policy",
    id=Id(response="Policy.Arn"),
    create=(Call("create_policy", item="Policy"),),
    read=Read(function=_read_policy),
    update=(
        Run(_make_room, on=("policy",)),
        Call("create_policy_version", set={"PolicyArn": "{id}", "SetAsDefault": True}, on=("policy",)),
    ),
    delete=(Run(_drop_versions), Call("delete_policy", set={"PolicyArn": "{id}"})),
    name=Name(prefix="namePrefix", max_length=128, allowed="a-zA-Z0-9+=,.@_-"),
    tags=iam_tags("policy", "PolicyArn"),
    fields={
        "name": Field("PolicyName"),
        "policy": Field("PolicyDocument", convert=POLICY),
        "path": Field(default="/"),
        "description": Field(default=""),
    },
    force_new=("name", "namePrefix", "path", "description"),
    local=("delayAfterPolicyCreationInMs",),
)


def _assign_role(context: Context) -> None:
    before, wanted = context.old_inputs.get("role"), context.inputs.get("role")
    if before:
        context.call("remove_role_from_instance_profile", InstanceProfileName=context.id, RoleName=before)
    if wanted:
        context.call("add_role_to_instance_profile", InstanceProfileName=context.id, RoleName=wanted)


def _remove_role(context: Context) -> None:
    if role := context.state.get("role"):
        context.call("remove_role_from_instance_profile", InstanceProfileName=context.id, RoleName=role)


_PROFILE = {"InstanceProfileName": "{id}"}

INSTANCE_PROFILE = ResourceType(
    pulumi_type="aws:iam/instanceProfile:InstanceProfile",
    service="iam",
    docs=f"{_DOCS}/iam_instance_profile",
    id=Id(template="{name}"),
    create=(Call("create_instance_profile", item="InstanceProfile"), Run(_assign_role, on=("role",))),
    read=Read("get_instance_profile", set=_PROFILE, item="InstanceProfile"),
    update=(Run(_assign_role, on=("role",)),),
    delete=(Run(_remove_role), Call("delete_instance_profile", set=_PROFILE)),
    name=Name(prefix="namePrefix", max_length=128, allowed="a-zA-Z0-9+=,.@_-"),
    tags=iam_tags("instance_profile", "InstanceProfileName"),
    fields={
        "name": Field("InstanceProfileName"),
        "path": Field(default="/"),
        "role": Field("", read="Roles[0].RoleName", default=None, absent=None),
        "uniqueId": Field(read="InstanceProfileId"),
    },
    force_new=("name", "namePrefix", "path"),
)

TYPES = (ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, POLICY_TYPE, INSTANCE_PROFILE)
