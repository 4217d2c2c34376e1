"""What Amazon MQ refuses."""

from __future__ import annotations

import re

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.extensions.mq.models import INSTANCE_TYPES, NEVER_CLUSTERED
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError

_API = "https://docs.aws.amazon.com/amazon-mq/latest/api-reference"
_GUIDE = "https://docs.aws.amazon.com/amazon-mq/latest/developer-guide"
_PASSWORD_LENGTH = (12, 250)
_MIN_UNIQUE_CHARACTERS = 4
_FORBIDDEN_IN_PASSWORDS = set(",:=")
_BROKER_NAME = re.compile(r"^[A-Za-z0-9_-]{1,50}$")


def _bad(message: str) -> ApiError:
    return ApiError("BadRequestException", message, 400)


def _is_rabbitmq(request: Request) -> bool:
    return str(request.get("EngineType", "")).upper() == "RABBITMQ"


@refuses("mq", "CreateBroker", "CreateConfiguration", source=f"{_GUIDE}/rabbitmq-version-management.html")
def engine_version_out_of_support(request: Request) -> None:
    """Only versions that can still be created."""
    engine, version = str(request.get("EngineType", "")).upper(), request.get("EngineVersion")
    if catalog.is_refused(engine, version):
        versions = ", ".join(known.version for known in catalog.engine_versions(engine))
        raise _bad(
            f"Broker engine version [{version}] is invalid. Valid values: {versions} "
            f"({catalog.source_of_versions(engine)})"
        )


@refuses("mq", "CreateBroker", source=f"{_GUIDE}/rmq-broker-instance-types.html")
def instance_type_unfit_for_the_version(request: Request) -> None:
    """Each version runs on some instance types, and the smallest is not clustered."""
    if not _is_rabbitmq(request):
        return
    version = catalog.resolve("RABBITMQ", request.get("EngineVersion"))
    instance_type = request.get("HostInstanceType")
    fitting = INSTANCE_TYPES.get(version.version, ()) if version else ()
    if fitting and instance_type not in fitting:
        raise _bad(
            f"Broker engine type [RabbitMQ] {version.version if version else ''} does not support "
            f"host instance "
            f"type [{instance_type}]. Take one of {', '.join(fitting)}"
        )
    if request.get("DeploymentMode") == "CLUSTER_MULTI_AZ" and instance_type in NEVER_CLUSTERED:
        raise _bad(
            f"Host instance type [{instance_type}] does not support deployment mode [CLUSTER_MULTI_AZ]"
        )


@refuses("mq", "CreateBroker", "CreateUser", "UpdateUser", source=f"{_API}/brokers.html")
def user_password_rules(request: Request) -> None:
    """12 to 250 characters, four different ones, no comma, colon or equals sign."""
    users = request.get("Users") or [request.parameters]
    for password in (user.get("Password") for user in users):
        if password is None:
            continue
        fits = _PASSWORD_LENGTH[0] <= len(password) <= _PASSWORD_LENGTH[1]
        if not fits or len(set(password)) < _MIN_UNIQUE_CHARACTERS or set(password) & _FORBIDDEN_IN_PASSWORDS:
            raise _bad(
                "Broker user password is invalid. It must be 12 to 250 characters long, contain at "
                "least 4 unique "
                "characters, and must not contain commas, colons or equal signs."
            )


@refuses("mq", "CreateBroker", source=f"{_API}/brokers.html")
def rabbitmq_has_one_user_at_creation(request: Request) -> None:
    """More users come by RabbitMQ's own management API; none is fit only for a configuration with OAuth 2."""
    users = len(request.get("Users") or [])
    if _is_rabbitmq(request) and (users > 1 or (users == 0 and not request.get("Configuration"))):
        raise _bad(f"A RabbitMQ broker is created with one administrative user, got {users}.")


@refuses("mq", "CreateBroker", source=f"{_API}/brokers.html")
def subnets_of_a_broker(request: Request) -> None:
    """A single instance stands in one subnet; where there are several, each is in a zone of its own."""
    subnets, mode = request.get("SubnetIds") or [], request.get("DeploymentMode")
    if mode == "SINGLE_INSTANCE" and len(subnets) > 1:
        raise _bad(f"Deployment mode [SINGLE_INSTANCE] takes one subnet, got {len(subnets)}")
    state.require_subnets(request.region, subnets, "BadRequestException")
    zones = state.zones_of(request.region, subnets)
    if len(zones) < len(subnets):
        raise _bad(f"Subnets must be in different Availability Zones; got {len(subnets)} in {len(zones)}")


@refuses("mq", "CreateBroker", source=f"{_API}/brokers.html")
def security_groups_of_a_public_broker(request: Request) -> None:
    """A public RabbitMQ broker takes no security groups and no subnets; a private one's must exist."""
    groups = request.get("SecurityGroups")
    if _is_rabbitmq(request) and request.get("PubliclyAccessible") and groups:
        raise _bad("Security groups cannot be specified for a RabbitMQ broker with public accessibility.")
    state.require_security_groups(request.region, groups, "BadRequestException")


@refuses("mq", "CreateBroker", source=f"{_API}/brokers.html")
def broker_name_rules(request: Request) -> None:
    """1 to 50 letters, digits, dashes and underscores."""
    if not _BROKER_NAME.match(str(request.get("BrokerName"))):
        raise _bad(
            f"Broker name [{request.get('BrokerName')}] is invalid: 1 to 50 of A-Z, a-z, 0-9, - and _."
        )


@refuses(
    "mq",
    "CreateUser",
    "UpdateUser",
    "DeleteUser",
    "DescribeUser",
    "ListUsers",
    source=f"{_API}/brokers-broker-id-users-username.html",
)
def users_of_a_rabbitmq_broker(request: Request) -> None:
    """RabbitMQ keeps its users itself; this API does not apply to it."""
    broker = state.backend("mq", request.region).brokers.get(request.get("BrokerId"))
    if broker is not None and broker.engine_type == "RABBITMQ":
        raise _bad("This operation does not apply to RabbitMQ brokers: use RabbitMQ's management API.")
