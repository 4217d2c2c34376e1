"""Amazon MQ for RabbitMQ: the broker of orders and notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.secrets.rotation import RotationTarget


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


class RabbitMq(pulumi.ComponentResource):
    """A three-node RabbitMQ cluster, private, encrypted and TLS only.

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
