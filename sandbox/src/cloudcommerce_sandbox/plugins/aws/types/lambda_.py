"""Lambda functions and the permissions to invoke them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    EVERYTHING,
    Call,
    Fetch,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_FUNCTION = {"FunctionName": "{id}"}
_CODE = {
    "code": "ZipFile",
    "imageUri": "ImageUri",
    "s3Bucket": "S3Bucket",
    "s3Key": "S3Key",
    "s3ObjectVersion": "S3ObjectVersion",
    "sourceKmsKeyArn": "SourceKMSKeyArn",
}
_CONFIGURATION = (
    "deadLetterConfig",
    "description",
    "environment",
    "ephemeralStorage",
    "fileSystemConfig",
    "handler",
    "imageConfig",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "snapStart",
    "timeout",
    "tracingConfig",
    "vpcConfig",
)
_HASHES = ("codeSha256", "sourceCodeHash")
# A role takes some seconds to be known to Lambda after it was made.
_NEW_ROLE = (
    "InvalidParameterValueException: The role defined for the function cannot be assumed",
    "InvalidParameterValueException: The provided execution role does not have permissions",
)
_IDLE = Wait("LastUpdateStatus || 'Successful'", until=("Successful",), failed=("Failed",))


def _reserve(context: Context) -> None:
    """Set the concurrency kept for the function; -1 and none mean the account's shared pool."""
    reserved = context.inputs.get("reservedConcurrentExecutions", -1)
    if reserved is None or reserved < 0:
        context.call("delete_function_concurrency", FunctionName=context.id)
    else:
        context.call(
            "put_function_concurrency", FunctionName=context.id, ReservedConcurrentExecutions=reserved
        )


def _is_reserved(context: Context) -> bool:
    return bool(context.old_inputs) or (context.inputs.get("reservedConcurrentExecutions") or -1) >= 0


def _emptied(name: str, block: dict[str, Any]) -> Callable[[Context], dict[str, Any] | None]:
    """Return the request member for a block taken out of the program: AWS wants an empty one."""

    def member(context: Context) -> dict[str, Any] | None:
        return block if name in context.changed and not context.inputs.get(name) else None

    return member


def _sign(context: Context) -> None:
    if arn := context.inputs.get("codeSigningConfigArn"):
        context.call("put_function_code_signing_config", FunctionName=context.id, CodeSigningConfigArn=arn)
    else:
        context.call("delete_function_code_signing_config", FunctionName=context.id)


def _publish(context: Context) -> dict[str, Any]:
    return context.call("publish_version", FunctionName=context.id)


def _is_published(context: Context) -> bool:
    return bool(context.inputs.get("publish"))


def _is_destroyed(context: Context) -> bool:
    return not context.inputs.get("skipDestroy")


_CONCURRENCY = Run(_reserve, on=("reservedConcurrentExecutions",), when=_is_reserved)

FUNCTION = ResourceType(
    pulumi_type="aws:lambda/function:Function",
    service="lambda",
    docs=f"{_DOCS}/lambda_function",
    id=Id(template="{name}"),
    create=(
        Call(
            "create_function",
            names={name: f"Code.{member}" for name, member in _CODE.items()},
            item="@",
            retry=_NEW_ROLE,
        ),
        _CONCURRENCY,
    ),
    read=Read(
        "get_function",
        set=_FUNCTION,
        item="merge(Configuration, Concurrency || `{}`)",
        also=(
            Fetch(
                "get_function_code_signing_config",
                set=_FUNCTION,
                item="CodeSigningConfigArn",
                into="CodeSigningConfigArn",
            ),
        ),
    ),
    update=(
        Run(_sign, on=("codeSigningConfigArn",)),
        Call(
            "update_function_code",
            set=_FUNCTION,
            on=(*_CODE, *_HASHES, "architectures"),
            props=("architectures",),
            names=_CODE,
            full=True,
            wait=_IDLE,
        ),
        Call(
            "update_function_configuration",
            set={
                **_FUNCTION,
                "DeadLetterConfig": _emptied("deadLetterConfig", {"TargetArn": ""}),
                "Environment": _emptied("environment", {"Variables": {}}),
                "VpcConfig": _emptied("vpcConfig", {"SubnetIds": [], "SecurityGroupIds": []}),
            },
            on=_CONFIGURATION,
            retry=_NEW_ROLE,
            wait=_IDLE,
        ),
        _CONCURRENCY,
        Run(_publish, on=("publish", *_CODE, *_HASHES, "architectures", *_CONFIGURATION), when=_is_published),
    ),
    delete=(Call("delete_function", set=_FUNCTION, when=_is_destroyed),),
    created=Wait("State || 'Active'", until=("Active",), failed=("Failed",)),
    name=Name(max_length=64, allowed="a-zA-Z0-9_-"),
    tags=arn_tags(
        member="Tags",
        arn_member="Resource",
        keys_member="TagKeys",
        tag_member="Tags",
        list_operation="list_tags",
        list_item="Tags",
    ),
    fields={
        "name": Field("FunctionName", read="FunctionName"),
        "arn": Field(read="FunctionArn"),
        "qualifiedArn": Field(read="join(':', [FunctionArn, Version])"),
        "version": Field(read="Version"),
        "lastModified": Field(read="LastModified"),
        "codeSha256": Field(read="CodeSha256"),
        "signingJobArn": Field(read="SigningJobArn"),
        "signingProfileVersionArn": Field(read="SigningProfileVersionArn"),
        "sourceCodeSize": Field(read="CodeSize"),
        **{name: Field(member, write_only=True, default=None) for name, member in _CODE.items()},
        "codeSigningConfigArn": Field(default=None, absent=None),
        "handler": Field(default=None),
        "runtime": Field(default=None),
        "skipDestroy": Field(default=False),
        "description": Field(default=""),
        "fileSystemConfig": Field("FileSystemConfigs"),
        "imageConfig": Field(read="ImageConfigResponse.ImageConfig"),
        "imageConfig.commands": Field("Command"),
        "imageConfig.entryPoints": Field("EntryPoint"),
        "kmsKeyArn": Field("KMSKeyArn", default=""),
        "layers": Field(
            read="Layers",
            convert=Convert(read=lambda layers: [layer["Arn"] for layer in layers]),
        ),
        "loggingConfig": Field(read="LoggingConfig"),
        "memorySize": Field(default=128),
        "packageType": Field(default="Zip"),
        "publish": Field(write_only=True, default=False),
        "reservedConcurrentExecutions": Field("", read="ReservedConcurrentExecutions", default=-1),
        "timeout": Field(default=3),
    },
    outputs={
        "invokeArn": (
            "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/"
            "arn:{partition}:lambda:{region}:{account}:function:{name}/invocations"
        ),
    },
    force_new=("name", "packageType"),
    kept=("architectures", "ephemeralStorage", "loggingConfig", "tracingConfig"),
    local=("skipDestroy", "sourceCodeHash"),
    no_output=("qualifiedInvokeArn", "responseStreamingInvokeArn"),
    check=(exactly_one("code", "imageUri", "s3Bucket"),),
    unsupported={
        "capacityProviderConfig": "managed instances",
        "durableConfig": "durable functions",
        "publishTo": "publishing to an alias",
        "snapStart.optimizationStatus": "AWS tells it, a program can't set it",
        "vpcConfig.vpcId": "AWS tells it, a program can't set it",
        "replaceSecurityGroupsOnDestroy": "replacing security groups on deletion",
        "replacementSecurityGroupIds": "replacing security groups on deletion",
        "tenancyConfig": "tenant isolation",
        "useResourceTimeoutForPropagation": "the propagation timeout",
    },
)


def _read_permission(context: Context) -> dict[str, Any] | None:
    # After create the place is known from the inputs only; on refresh and import from the state.
    known = {**context.inputs, **context.state}
    place = {"FunctionName": known["function"]}
    if qualifier := known.get("qualifier"):
        place["Qualifier"] = qualifier
    text = context.find("get_policy", "Policy", **place)
    statements = json.loads(text)["Statement"] if text else []
    found = next((item for item in statements if item["Sid"] == known["statementId"]), None)
    if found is None:
        return None
    context.id = found["Sid"]
    return _arguments(found)


def _arguments(statement: dict[str, Any]) -> dict[str, Any]:
    """Turn a policy statement back into the arguments of AddPermission that make it."""
    principal = statement["Principal"]
    if isinstance(principal, dict):
        principal = next(iter(principal.values()))
    conditions = {
        key.lower(): value
        for block in statement.get("Condition", {}).values()
        for key, value in block.items()
    }
    return {
        "Sid": statement["Sid"],
        "Action": statement["Action"],
        "Principal": principal,
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
        "PrincipalOrgID": conditions.get("aws:principalorgid"),
        "EventSourceToken": conditions.get("lambda:eventsourcetoken"),
        "FunctionUrlAuthType": conditions.get("lambda:functionurlauthtype"),
    }


def _parse_permission(identifier: str) -> dict[str, Any]:
    """Read an import id: `<function>/<statement>` or `<function>:<qualifier>/<statement>`."""
    place, _, statement = identifier.rpartition("/")
    function, _, qualifier = place.rpartition(":")
    if place.count(":") == 1:
        return {"function": function, "qualifier": qualifier, "statementId": statement}
    return {"function": place, "statementId": statement}


_CONDITIONS = (
    "eventSourceToken",
    "functionUrlAuthType",
    "invokedViaFunctionUrl",
    "qualifier",
    "sourceAccount",
    "sourceArn",
)

PERMISSION = ResourceType(
    pulumi_type="aws:lambda/permission:Permission",
    service="lambda",
    docs=f"{_DOCS}/lambda_permission",
    id=Id(template="{statementId}", parse=_parse_permission),
    create=(Call("add_permission"),),
    read=Read(function=_read_permission),
    delete=(
        Call(
            "remove_permission",
            set={"FunctionName": "{function}", "StatementId": "{statementId}", "Qualifier": "{qualifier}"},
        ),
    ),
    name=Name("statementId", prefix="statementIdPrefix", max_length=100, allowed="a-zA-Z0-9_-"),
    fields={
        "function": Field("FunctionName", read="FunctionName"),
        "statementId": Field("StatementId", read="Sid"),
        **{name: Field(default=None) for name in _CONDITIONS},
        "principalOrgId": Field("PrincipalOrgID", default=None),
    },
    force_new=EVERYTHING,
)

TYPES = (FUNCTION, PERMISSION)
