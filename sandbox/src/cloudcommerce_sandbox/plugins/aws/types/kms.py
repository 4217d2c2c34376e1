"""AWS KMS keys and aliases."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import POLICY, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Fetch,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
)
from cloudcommerce_sandbox.plugins.aws.tagging import KMS_TAGS

_KEY = {"KeyId": "{id}"}
# The answer also has a KeyId, which is the key's ARN there.
_ROTATED = "{KeyRotationEnabled: KeyRotationEnabled, RotationPeriodInDays: RotationPeriodInDays}"
_BYPASS = {"BypassPolicyLockoutSafetyCheck": "{bypassPolicyLockoutSafetyCheck}"}


def _is_enabled(context: Context) -> bool:
    return bool(context.inputs.get("isEnabled", True))


def _is_disabled(context: Context) -> bool:
    return not _is_enabled(context)


def _enable(context: Context) -> None:
    context.call("enable_key", KeyId=context.id)


def _disable(context: Context) -> None:
    context.call("disable_key", KeyId=context.id)


def _is_same_key(left: str, right: str) -> bool:
    """Whether two ids or ARNs of keys mean the same key."""
    return left.rpartition("/")[2] == right.rpartition("/")[2]


def _rotate(context: Context) -> None:
    if not context.inputs.get("enableKeyRotation"):
        context.call("disable_key_rotation", KeyId=context.id)
        return
    period = context.inputs.get("rotationPeriodInDays")
    context.call(
        "enable_key_rotation", KeyId=context.id, **({"RotationPeriodInDays": period} if period else {})
    )


# A disabled key takes no rotation settings: it is enabled before anything else changes, disabled after.
_ENABLED = Run(_enable, on=("isEnabled",), when=_is_enabled)
_DISABLED = Run(_disable, on=("isEnabled",), when=_is_disabled)
_ROTATION = Run(_rotate, on=("enableKeyRotation", "rotationPeriodInDays"))

KEY = ResourceType(
    pulumi_type="aws:kms/key:Key",
    service="kms",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key",
    id=Id(response="KeyMetadata.KeyId"),
    create=(Call("create_key", set=_BYPASS, item="KeyMetadata"), _ROTATION, _DISABLED),
    read=Read(
        "describe_key",
        set=_KEY,
        item="KeyMetadata",
        gone=("KeyState", "PendingDeletion", "PendingReplicaDeletion"),
        also=(
            Fetch("get_key_policy", set={**_KEY, "PolicyName": "default"}, item="Policy", into="Policy"),
            Fetch(
                "get_key_rotation_status",
                set=_KEY,
                item=_ROTATED,
                missing=("UnsupportedOperationException",),
                always=True,
            ),
        ),
    ),
    update=(
        _ENABLED,
        Call("update_key_description", set=_KEY, on=("description",)),
        Call("put_key_policy", set={**_KEY, "PolicyName": "default", **_BYPASS}, on=("policy",)),
        _ROTATION,
        _DISABLED,
    ),
    delete=(
        Call(
            "schedule_key_deletion",
            set={**_KEY, "PendingWindowInDays": "{deletionWindowInDays}"},
            ignore=("KMSInvalidStateException",),
        ),
    ),
    tags=KMS_TAGS,
    fields={
        "policy": Field(convert=POLICY),
        "bypassPolicyLockoutSafetyCheck": Field(default=False),
        "isEnabled": Field(read="Enabled", default=True),
        "enableKeyRotation": Field(read="KeyRotationEnabled", default=False),
        "customerMasterKeySpec": Field("KeySpec", default="SYMMETRIC_DEFAULT"),
        "keyUsage": Field(default="ENCRYPT_DECRYPT"),
    },
    force_new=("customerMasterKeySpec", "keyUsage", "multiRegion"),
    local=("deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"),
    unsupported={"customKeyStoreId": "custom key stores", "xksKeyId": "external key stores"},
)

ALIAS = ResourceType(
    pulumi_type="aws:kms/alias:Alias",
    service="kms",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_alias",
    id=Id(template="{name}"),
    create=(Call("create_alias"),),
    read=Read("list_aliases", item="Aliases[?AliasName=='{id}'] | [0]"),
    update=(Call("update_alias", set={"AliasName": "{id}"}, on=("targetKeyId",)),),
    delete=(Call("delete_alias", set={"AliasName": "{id}"}),),
    name=Name(prefix="namePrefix", max_length=256, allowed="a-zA-Z0-9:/_-", start="alias/"),
    fields={"name": Field("AliasName"), "targetKeyId": Field(convert=Convert(equal=_is_same_key))},
    force_new=("name", "namePrefix"),
    outputs={
        "arn": "arn:{partition}:kms:{region}:{account}:{name}",
        "targetKeyArn": "arn:{partition}:kms:{region}:{account}:key/{targetKeyId}",
    },
)

TYPES = (KEY, ALIAS)
