"""Users and user groups of ElastiCache's role-based access control."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import IGNORE_CASE, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    EVERYTHING,
    Call,
    Field,
    Id,
    Read,
    ResourceType,
    Run,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import ELASTICACHE_TAGS

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_ACTIVE = Wait("Status", until=("active",), timeout=600.0)
_DELETED = Wait("Status", until=("deleted",), timeout=600.0)
# The API takes `no-password-required` and reports `no-password`:
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_Authentication.html
_AUTHENTICATION_TYPE = Convert(read=lambda kind: {"no-password": "no-password-required"}.get(kind, kind))

USER = ResourceType(
    pulumi_type="aws:elasticache/user:User",
    service="elasticache",
    docs=f"{_DOCS}/elasticache_user",
    id=Id(template="{userId}"),
    create=(Call("create_user", item="@"),),
    read=Read("describe_users", set={"UserId": "{id}"}, item="Users[0]"),
    update=(Call("modify_user", set={"UserId": "{id}"}),),
    delete=(Call("delete_user", set={"UserId": "{id}"}),),
    tags=ELASTICACHE_TAGS,
    fields={
        "engine": Field(convert=IGNORE_CASE),
        "authenticationMode": Field("AuthenticationMode", read="Authentication"),
        "authenticationMode.type": Field(convert=_AUTHENTICATION_TYPE),
        "authenticationMode.passwords": Field(write_only=True, secret=True),
        "passwords": Field(write_only=True, secret=True),
        "noPasswordRequired": Field(write_only=True, default=False),
    },
    force_new=("userId", "userName"),
    unsupported={
        "authenticationMode.passwordCount": "AWS counts the passwords",
        "passwordsWo": "write-only arguments: passwords are secrets in state",
        "passwordsWoVersion": "write-only arguments: passwords are secrets in state",
    },
    created=_ACTIVE,
    updated=_ACTIVE,
    deleted=_DELETED,
    check=(conflicts("passwords", "authenticationMode"),),
    delete_retry=("InvalidUserState",),
)


def _change_members(context: Context) -> None:
    wanted = set(context.inputs.get("userIds") or ())
    before = set(context.old_inputs.get("userIds") or ())
    request: dict[str, Any] = {"UserGroupId": context.id}
    if added := sorted(wanted - before):
        request["UserIdsToAdd"] = added
    if removed := sorted(before - wanted):
        request["UserIdsToRemove"] = removed
    context.call("modify_user_group", **request)


USER_GROUP = ResourceType(
    pulumi_type="aws:elasticache/userGroup:UserGroup",
    service="elasticache",
    docs=f"{_DOCS}/elasticache_user_group",
    id=Id(template="{userGroupId}"),
    create=(Call("create_user_group", item="@"),),
    read=Read("describe_user_groups", set={"UserGroupId": "{id}"}, item="UserGroups[0]"),
    update=(
        Run(_change_members, on=("userIds",), wait=_ACTIVE),
        Call("modify_user_group", set={"UserGroupId": "{id}"}, on=("engine",)),
    ),
    delete=(Call("delete_user_group", set={"UserGroupId": "{id}"}),),
    tags=ELASTICACHE_TAGS,
    fields={"engine": Field(convert=IGNORE_CASE)},
    force_new=("userGroupId",),
    created=_ACTIVE,
    updated=_ACTIVE,
    deleted=_DELETED,
    delete_retry=("InvalidUserGroupState",),
)

_GROUP_OF_MEMBER = {"UserGroupId": "{userGroupId}"}

USER_GROUP_ASSOCIATION = ResourceType(
    pulumi_type="aws:elasticache/userGroupAssociation:UserGroupAssociation",
    service="elasticache",
    docs=f"{_DOCS}/elasticache_user_group_association",
    id=Id(template="{userGroupId},{userId}"),
    create=(
        Call(
            "modify_user_group",
            set={**_GROUP_OF_MEMBER, "UserIdsToAdd": "{userId}"},
            retry=("InvalidUserGroupState",),
        ),
    ),
    read=Read(
        "describe_user_groups",
        set=_GROUP_OF_MEMBER,
        item="UserGroups[?contains(UserIds, '{userId}')].{Status: Status, UserGroupId: UserGroupId} | [0]",
    ),
    delete=(
        Call(
            "modify_user_group",
            set={**_GROUP_OF_MEMBER, "UserIdsToRemove": "{userId}"},
            retry=("InvalidUserGroupState",),
            ignore=("UserGroupNotFound", "UserNotFound"),
        ),
    ),
    fields={"userId": Field(write_only=True)},
    force_new=EVERYTHING,
    created=_ACTIVE,
)
