"""Amazon MQ: RabbitMQ brokers and their configurations."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import UNKNOWN, Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import (
    BASE64_TEXT,
    IGNORE_CASE,
    VERSION_PREFIX,
    Convert,
)
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Fetch,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
    TagStyle,
    Wait,
)

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_RUNNING = Wait(
    "BrokerState",
    until=("RUNNING",),
    failed=("CREATION_FAILED", "CRITICAL_ACTION_REQUIRED"),
    timeout=1800.0,
)
_BROKER = {"BrokerId": "{id}"}
_TAGS = TagStyle(shape="map", tag="create_tags", untag="delete_tags", target={"ResourceArn": "{arn}"})
_UPPER = Convert(send=lambda text: str(text).upper(), equal=IGNORE_CASE.equal)
_USERS = Convert(
    send=lambda users: [_user_to_api(user) for user in users], equal=lambda _before, _wanted: True
)
_ACTIVEMQ = "ActiveMQ, whose brokers the sandbox does not play"


def _user_to_api(user: Properties) -> dict[str, Any]:
    return {f"{name[0].upper()}{name[1:]}": value for name, value in user.items() if value is not None}


def _rabbitmq_only(inputs: Properties) -> list[tuple[str, str]]:
    engine: Any = inputs.get("engineType")
    if engine is UNKNOWN or engine is None or str(engine).upper() == "RABBITMQ":
        return []
    return [("engineType", f"{engine!r} is not implemented in the sandbox: give RabbitMQ")]


def _leave_users(_context: Context) -> None:
    """Change nothing: an imported broker has its users, and the API neither tells nor changes them."""


def _broker_defaults(inputs: Properties) -> Properties:
    """Add what the API insists on and Terraform's provider has a default for."""
    return {"deploymentMode": "SINGLE_INSTANCE", "publiclyAccessible": False, **inputs}


BROKER = ResourceType(
    pulumi_type="aws:mq/broker:Broker",
    service="mq",
    docs=f"{_DOCS}/mq_broker",
    id=Id(response="BrokerId"),
    create=(Call("create_broker"),),
    read=Read("describe_broker", set=_BROKER),
    update=(
        Call("update_broker", set=_BROKER),
        Call(
            "reboot_broker",
            set=_BROKER,
            on=("configuration", "engineVersion", "hostInstanceType", "logs"),
            when=lambda context: bool(context.inputs.get("applyImmediately")),
        ),
        Run(_leave_users, on=("users",)),
    ),
    delete=(Call("delete_broker", set=_BROKER),),
    name=Name("brokerName", max_length=50, allowed="a-zA-Z0-9_-"),
    tags=_TAGS,
    fields={
        "arn": Field("BrokerArn"),
        "authenticationStrategy": Field(convert=_UPPER),
        "autoMinorVersionUpgrade": Field(default=False),
        "configuration": Field("Configuration", read="Configurations.Pending || Configurations.Current"),
        "deploymentMode": Field(convert=_UPPER, default="SINGLE_INSTANCE"),
        "encryptionOptions.useAwsOwnedKey": Field(default=True),
        "engineType": Field(convert=_UPPER),
        "engineVersion": Field(convert=VERSION_PREFIX),
        "instances": Field(read="BrokerInstances"),
        "maintenanceWindowStartTime.dayOfWeek": Field(convert=_UPPER),
        "publiclyAccessible": Field(default=False),
        "storageType": Field(convert=_UPPER),
        # The API makes users of RabbitMQ with the broker only:
        # https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers-broker-id-users-username.html
        "users": Field(write_only=True, secret=True, convert=_USERS),
    },
    force_new=(
        "brokerName",
        "deploymentMode",
        "encryptionOptions",
        "engineType",
        "publiclyAccessible",
        # Terraform updates it in place, which changes nothing: no operation of the API takes it.
        "storageType",
        "subnetIds",
    ),
    local=("applyImmediately",),
    unsupported={
        "dataReplicationMode": _ACTIVEMQ,
        "dataReplicationPrimaryBrokerArn": _ACTIVEMQ,
        "ldapServerMetadata": _ACTIVEMQ,
        "logs.audit": _ACTIVEMQ,
        "resourceShareArns": "private networking over shared resources",
    },
    no_output=("pendingDataReplicationMode", "sharedResources"),
    created=_RUNNING,
    updated=_RUNNING,
    deleted=Wait("BrokerState", until=("DELETED",), timeout=1800.0),
    check=(_rabbitmq_only,),
    prepare=_broker_defaults,
)

_CONFIGURATION = {"ConfigurationId": "{id}"}

CONFIGURATION = ResourceType(
    pulumi_type="aws:mq/configuration:Configuration",
    service="mq",
    docs=f"{_DOCS}/mq_configuration",
    id=Id(response="Id"),
    # A new configuration has the engine's defaults as its first revision; ours is the second.
    create=(
        Call("create_configuration"),
        Call("update_configuration", set=_CONFIGURATION, on=("data",), props=("description",)),
    ),
    read=Read(
        "describe_configuration",
        set=_CONFIGURATION,
        also=(
            Fetch(
                "describe_configuration_revision",
                set={**_CONFIGURATION, "ConfigurationRevision": "{latestRevision}"},
                item="Data",
                into="Data",
            ),
        ),
    ),
    update=(
        Call(
            "update_configuration",
            set=_CONFIGURATION,
            on=("data", "description"),
            props=("data", "description"),
        ),
    ),
    delete=(
        Call(
            "delete_configuration",
            set=_CONFIGURATION,
            when=lambda context: not context.inputs.get("skipDestroy"),
        ),
    ),
    name=Name(max_length=150, allowed="a-zA-Z0-9._~-"),
    tags=_TAGS,
    fields={
        "data": Field(convert=BASE64_TEXT),
        "description": Field("Description", read="LatestRevision.Description", default="", absent=""),
        "engineType": Field(convert=_UPPER),
        "engineVersion": Field(convert=VERSION_PREFIX),
        "latestRevision": Field(read="LatestRevision.Revision"),
    },
    force_new=("engineType", "engineVersion", "name"),
    local=("skipDestroy",),
    unsupported={"authenticationStrategy": "authentication other than by name and password"},
    check=(_rabbitmq_only,),
    # A broker holds its configuration until it has really gone.
    delete_retry=("ConflictException",),
)

TYPES = (BROKER, CONFIGURATION)
