"""Amazon MQ for RabbitMQ: the broker of orders and notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.data.instance_classes import RABBITMQ, capacity
from components.network.access import store_security_group
from components.secrets.credential import Credential, CredentialArgs
from components.secrets.rotation import RotationTarget

AMQPS_PORT, MANAGEMENT_PORT = 5671, 443
_MIN_ZONES = 2

CONFIGURATION = "\n".join(
    (
        # A consumer that sits on a delivery for 15 minutes is stuck; its messages go to another one.
        "consumer_timeout = 900000",
        # Operator policies carry the limits of Amazon MQ; administrators of the broker do not lift them.
        "management.restrictions.operator_policy_changes.disabled = true",
    )
)
"""https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/configurable-values.html

Queues are quorum queues by default on RabbitMQ 4 of Amazon MQ, so that nothing says so here:
https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-version-management.html"""


@dataclass(frozen=True, kw_only=True)
class RabbitMqArgs:
    """What the broker needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        client_security_group_ids: Who may connect on 5671 and 443, by a short stable name.
        instance_type: One of `components.data.instance_classes.RABBITMQ`.
        data_key_arn: KMS key of the `operations` data class.
        secrets_key_arn: KMS key of the `secrets` data class.
        services: Virtual host of each service (`{"order": "commerce", "notification": "commerce"}`).
        protect: Whether Pulumi refuses to delete the broker.
        engine_version: RabbitMQ major.minor.
        admin_username: Administrator, used by the bootstrap program and the rotation only.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_type: str
    data_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    services: Mapping[str, str]
    protect: bool
    engine_version: str = "4.2"
    admin_username: str = "cloudcommerce_admin"

    def __post_init__(self) -> None:
        if len(self.subnet_ids) < _MIN_ZONES:
            raise ValueError(
                f"{len(self.subnet_ids)} subnets for a broker cluster; Amazon MQ wants {_MIN_ZONES} or more "
                "in different zones: give the isolated subnet of each zone"
            )


class RabbitMq(pulumi.ComponentResource):
    """A three-node RabbitMQ cluster, private, encrypted and TLS only.

    Amazon MQ names the broker's log group after an id that it draws while it makes the broker, and makes the
    group itself, so its retention cannot be declared here.

    Attributes:
        host: Host name of the broker.
        amqps_endpoint: AMQP address (`amqps://host:5671`).
        console_url: Management interface (`https://host`).
        broker_id: Identifier of the broker.
        broker_name: Name of the broker, dimension of its metrics.
        broker_arn: ARN of the broker.
        security_group_id: Group of the broker.
        admin_secret_arn: Secret of the administrator.
        service_secret_arns: Secret of each service's user, by service.
        rotation_targets: What `Rotation` needs to rotate the administrator's password.
    """

    host: pulumi.Output[str]
    amqps_endpoint: pulumi.Output[str]
    console_url: pulumi.Output[str]
    broker_id: pulumi.Output[str]
    broker_name: pulumi.Output[str]
    broker_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    admin_secret_arn: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: RabbitMqArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:messaging:RabbitMq", name, None, opts)
        capacity(RABBITMQ, args.instance_type)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        group = store_security_group(
            name,
            parent=self,
            description="RabbitMQ: its clients only",
            vpc_id=args.vpc_id,
            ports={"amqps": AMQPS_PORT, "management": MANAGEMENT_PORT},
            clients=args.client_security_group_ids,
        )
        admin = self._credential("admin", args.admin_username)
        broker = self._broker(group, admin)
        amqps = broker.instances.apply(lambda instances: str(instances[0]["endpoints"][0]))
        console = broker.instances.apply(lambda instances: str(instances[0]["console_url"]))
        host = amqps.apply(lambda endpoint: endpoint.removeprefix("amqps://").rpartition(":")[0])
        admin_secret_arn = admin.attach(
            host=host, port=AMQPS_PORT, resource_id=broker.id, extra={"vhost": "/"}
        )
        services = {service: self._credential(service, f"{service}_service") for service in args.services}
        for service, credential in services.items():
            credential.attach(
                host=host, port=AMQPS_PORT, resource_id=broker.id, extra={"vhost": args.services[service]}
            )
        self.host = host
        self.amqps_endpoint = amqps
        self.console_url = console
        self.broker_id = broker.id
        self.broker_name = broker.broker_name
        self.broker_arn = broker.arn
        self.security_group_id = group.id
        self.admin_secret_arn = admin_secret_arn
        self.service_secret_arns = pulumi.Output.all(
            **{service: credential.secret_arn for service, credential in services.items()}
        )
        self.rotation_targets = {
            f"{name}-admin": RotationTarget(
                engine="rabbitmq",
                secret_arn=admin_secret_arn,
                resource_arn=broker.arn,
                security_group_id=group.id,
            )
        }
        self.register_outputs(
            {
                "host": self.host,
                "amqps_endpoint": self.amqps_endpoint,
                "console_url": self.console_url,
                "broker_id": self.broker_id,
                "broker_name": self.broker_name,
                "broker_arn": self.broker_arn,
                "security_group_id": self.security_group_id,
                "admin_secret_arn": self.admin_secret_arn,
                "service_secret_arns": self.service_secret_arns,
            }
        )

    def _credential(self, role: str, username: str) -> Credential:
        return Credential(
            f"{self._name}-{role}",
            CredentialArgs(
                engine="rabbitmq",
                username=username,
                secrets_key_arn=self._args.secrets_key_arn,
                protect=self._args.protect,
            ),
            self._child,
        )

    def _broker(self, group: aws.ec2.SecurityGroup, admin: Credential) -> aws.mq.Broker:
        args, name = self._args, self._name
        configuration = aws.mq.Configuration(
            f"{name}-configuration",
            description="RabbitMQ of orders and notifications",
            engine_type="RabbitMQ",
            engine_version=args.engine_version,
            data=CONFIGURATION,
            tags={"Name": f"{name}-configuration"},
            opts=self._child,
        )
        return aws.mq.Broker(
            f"{name}-broker",
            engine_type="RabbitMQ",
            engine_version=args.engine_version,
            deployment_mode="CLUSTER_MULTI_AZ",
            host_instance_type=args.instance_type,
            subnet_ids=list(args.subnet_ids),
            security_groups=[group.id],
            publicly_accessible=False,
            encryption_options={"use_aws_owned_key": False, "kms_key_id": args.data_key_arn},
            configuration={"id": configuration.id, "revision": configuration.latest_revision},
            users=[{"username": args.admin_username, "password": admin.password}],
            logs={"general": True},
            maintenance_window_start_time={
                "day_of_week": "SUNDAY",
                "time_of_day": "07:30",
                "time_zone": "UTC",
            },
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            tags={"Name": f"{name}-broker"},
            # Once made, users are the broker's own: the bootstrap adds some and rotation changes this one.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, ignore_changes=["users"]),
        )
