"""Secrets Manager secrets, their versions, policies and rotation."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts, exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import BASE64_BYTES, POLICY, UNORDERED
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
from cloudcommerce_sandbox.plugins.aws.tagging import SECRETSMANAGER_TAGS

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_SECRET = {"SecretId": "{id}"}
_CURRENT = "AWSCURRENT"


def _regions(replicas: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {replica["region"]: replica for replica in replicas or []}


def _replicate(context: Context) -> None:
    wanted = _regions(context.inputs.get("replicas"))
    before = _regions(context.old_inputs.get("replicas"))
    moved = [region for region in wanted if wanted[region] != before.get(region)]
    if gone := [region for region in before if before[region] != wanted.get(region)]:
        context.call("remove_regions_from_replication", SecretId=context.id, RemoveReplicaRegions=gone)
    if moved:
        additions = [
            {"Region": region} | ({"KmsKeyId": key} if (key := wanted[region].get("kmsKeyId")) else {})
            for region in moved
        ]
        context.call(
            "replicate_secret_to_regions",
            SecretId=context.id,
            AddReplicaRegions=additions,
            ForceOverwriteReplicaSecret=bool(context.inputs.get("forceOverwriteReplicaSecret")),
        )


def _put_policy(context: Context) -> None:
    if policy := context.inputs.get("policy"):
        context.call("put_resource_policy", SecretId=context.id, ResourcePolicy=POLICY.send(policy))
    else:
        context.call("delete_resource_policy", SecretId=context.id)


def _drop_replicas(context: Context) -> None:
    if regions := list(_regions(context.inputs.get("replicas"))):
        context.call("remove_regions_from_replication", SecretId=context.id, RemoveReplicaRegions=regions)


def _delete_secret(context: Context) -> None:
    days = context.inputs.get("recoveryWindowInDays", 30)
    window: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    context.call("delete_secret", SecretId=context.id, **window)


SECRET = ResourceType(
    pulumi_type="aws:secretsmanager/secret:Secret",
    service="secretsmanager",
    docs=f"{_DOCS}/secretsmanager_secret",
    id=Id(response="ARN"),
    create=(
        Call("create_secret", omit=("policy", "replicas", "forceOverwriteReplicaSecret")),
        Run(_put_policy, on=("policy",)),
        Run(_replicate, on=("replicas",)),
    ),
    read=Read(
        "describe_secret",
        set=_SECRET,
        item="!DeletedDate && @",
        also=(Fetch("get_resource_policy", set=_SECRET, item="ResourcePolicy", into="Policy"),),
    ),
    update=(
        Call("update_secret", set=_SECRET, on=("description", "kmsKeyId")),
        Run(_put_policy, on=("policy",)),
        Run(_replicate, on=("replicas",)),
    ),
    delete=(Run(_drop_replicas), Run(_delete_secret)),
    name=Name(prefix="namePrefix", max_length=512, allowed="a-zA-Z0-9/_+=.@-"),
    tags=SECRETSMANAGER_TAGS,
    fields={
        "arn": Field(read="ARN"),
        "description": Field(default=""),
        "forceOverwriteReplicaSecret": Field(default=False),
        "kmsKeyId": Field(default=None),
        "policy": Field(convert=POLICY),
        "recoveryWindowInDays": Field(default=30),
        "replicas": Field(write_only=True),
    },
    force_new=("name", "namePrefix"),
    kept=("replicas",),
    local=("recoveryWindowInDays", "forceOverwriteReplicaSecret"),
    unsupported={"type": "secrets that partners manage"},
)


def _put_version(context: Context) -> dict[str, Any]:
    inputs = context.inputs
    value: dict[str, Any] = (
        {"SecretBinary": BASE64_BYTES.send(inputs["secretBinary"])}
        if inputs.get("secretBinary") is not None
        else {"SecretString": inputs.get("secretString", "")}
    )
    if stages := inputs.get("versionStages"):
        value["VersionStages"] = stages
    return context.call("put_secret_value", SecretId=inputs["secretId"], **value)


def _move_stages(context: Context) -> None:
    """Move labels to and from this version; AWSCURRENT can only go to another version, never away."""
    wanted = set(context.inputs.get("versionStages") or [_CURRENT])
    before = set(context.state.get("versionStages") or [])
    version = context.state["versionId"]
    for stage in sorted(wanted - before):
        holder = _holder(context, stage)
        removal = {"RemoveFromVersionId": holder} if holder else {}
        context.call(
            "update_secret_version_stage",
            SecretId=context.state["secretId"],
            VersionStage=stage,
            MoveToVersionId=version,
            **removal,
        )
    for stage in sorted(before - wanted - {_CURRENT}):
        context.call(
            "update_secret_version_stage",
            SecretId=context.state["secretId"],
            VersionStage=stage,
            RemoveFromVersionId=version,
        )


def _holder(context: Context, stage: str) -> str | None:
    versions: dict[str, list[str]] = (
        context.find("describe_secret", "VersionIdsToStages", SecretId=context.state["secretId"]) or {}
    )
    return next((version for version, stages in versions.items() if stage in stages), None)


def _drop_version(context: Context) -> None:
    """Take the labels off, which makes the version deprecated; the current value stays with the secret.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
    """
    for stage in context.state.get("versionStages") or []:
        if stage != _CURRENT:
            context.call(
                "update_secret_version_stage",
                SecretId=context.state["secretId"],
                VersionStage=stage,
                RemoveFromVersionId=context.state["versionId"],
            )


def _parse_version(identifier: str) -> dict[str, Any]:
    secret, _, version = identifier.rpartition("|")
    return {"secretId": secret, "versionId": version}


def _read_version(context: Context) -> dict[str, Any] | None:
    place = _parse_version(context.id)
    secret, version = place["secretId"], place["versionId"]
    described = context.find("describe_secret", "@", SecretId=secret)
    if not described or described.get("DeletedDate"):
        return None
    # A version without labels is deprecated and may vanish at any time: it is as good as gone.
    stages = described.get("VersionIdsToStages", {}).get(version)
    if not stages:
        return None
    value = context.find("get_secret_value", "@", SecretId=secret, VersionId=version)
    return value and {**value, "VersionStages": stages}


SECRET_VERSION = ResourceType(
    pulumi_type="aws:secretsmanager/secretVersion:SecretVersion",
    service="secretsmanager",
    docs=f"{_DOCS}/secretsmanager_secret_version",
    id=Id(template="{secretId}|{versionId}", parse=_parse_version),
    create=(Run(_put_version, on=("secretId", "secretString", "secretBinary", "versionStages"), item="@"),),
    read=Read(function=_read_version),
    update=(Run(_move_stages, on=("versionStages",)),),
    delete=(Run(_drop_version),),
    fields={
        "secretId": Field(read="ARN"),
        "arn": Field(read="ARN"),
        "secretArn": Field(read="ARN"),
        "secretString": Field(secret=True, default=None),
        "secretBinary": Field(convert=BASE64_BYTES, secret=True, default=None),
        "versionStages": Field(convert=UNORDERED),
    },
    force_new=("secretId", "secretString", "secretBinary"),
    kept=("versionStages",),
    check=(conflicts("secretString", "secretBinary"),),
    no_output=("hasSecretStringWo",),
    unsupported={
        "secretStringWo": "write-only arguments",
        "secretStringWoVersion": "write-only arguments",
    },
)

SECRET_POLICY = ResourceType(
    pulumi_type="aws:secretsmanager/secretPolicy:SecretPolicy",
    service="secretsmanager",
    docs=f"{_DOCS}/secretsmanager_secret_policy",
    id=Id(template="{secretArn}"),
    create=(Call("put_resource_policy"),),
    read=Read("get_resource_policy", set=_SECRET, item="ResourcePolicy && @"),
    update=(Call("put_resource_policy", set=_SECRET, on=("policy", "blockPublicPolicy"), full=True),),
    delete=(Call("delete_resource_policy", set=_SECRET),),
    fields={
        "secretArn": Field("SecretId", read="ARN"),
        "policy": Field("ResourcePolicy", convert=POLICY),
        "blockPublicPolicy": Field(write_only=True, default=False),
    },
    force_new=("secretArn",),
)


def _is_rotated(context: Context) -> bool:
    return bool(context.inputs.get("rotationEnabled", True))


def _is_stopped(context: Context) -> bool:
    return not _is_rotated(context)


def _stop_rotation(context: Context) -> None:
    context.call("cancel_rotate_secret", SecretId=context.inputs["secretId"])


_ROTATION = ("rotationEnabled", "rotationLambdaArn", "rotationRules")
_IMMEDIATELY = {"RotateImmediately": "{rotateImmediately}"}

SECRET_ROTATION = ResourceType(
    pulumi_type="aws:secretsmanager/secretRotation:SecretRotation",
    service="secretsmanager",
    docs=f"{_DOCS}/secretsmanager_secret_rotation",
    id=Id(template="{secretId}"),
    create=(
        Call("rotate_secret", set=_IMMEDIATELY, when=_is_rotated),
        Run(_stop_rotation, on=("secretId", "rotationEnabled"), when=_is_stopped),
    ),
    read=Read("describe_secret", set=_SECRET, item="!DeletedDate && @"),
    # A change of rotateImmediately alone rotates nothing.
    update=(
        Call("rotate_secret", set={**_SECRET, **_IMMEDIATELY}, on=_ROTATION, full=True, when=_is_rotated),
        Run(_stop_rotation, on=("rotationEnabled",), when=_is_stopped),
    ),
    # A rotation that somebody stopped, or a secret that somebody deleted, is what was asked for.
    delete=(Call("cancel_rotate_secret", set=_SECRET, ignore=("InvalidRequestException",)),),
    fields={
        "secretId": Field("SecretId", read="ARN"),
        "rotationLambdaArn": Field("RotationLambdaARN", default=None),
        "rotateImmediately": Field(default=True),
        "rotationEnabled": Field(absent=False),
        # AWS remembers the rules of a rotation that somebody stopped: none are in force.
        "rotationRules": Field(read="RotationEnabled && RotationRules || `{}`"),
    },
    force_new=("secretId",),
    local=("rotateImmediately",),
    check=(exactly_one("rotationLambdaArn", "externalSecretRotationRoleArn"),),
    unsupported={
        "externalSecretRotationMetadatas": "secrets that partners manage",
        "externalSecretRotationRoleArn": "secrets that partners manage",
    },
)

TYPES = (SECRET, SECRET_VERSION, SECRET_POLICY, SECRET_ROTATION)
