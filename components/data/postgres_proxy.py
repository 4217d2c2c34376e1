"""RDS Proxy: pooled connections of the services to the PostgreSQL primary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class PostgresProxyArgs:
    """What the proxy needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        client_security_group_ids: Who may connect on 5432, by a short stable name.
        instance_identifier: The primary instance.
        instance_security_group_id: Group of the primary; the proxy is admitted to it.
        reader_address: Host name of the read replica, told to the services beside the proxy's.
        services: Database of each service that connects (`{"product": "product", "order": "orders"}`).
        secrets_key_arn: KMS key of the `secrets` data class.
        protect: Whether Pulumi refuses to delete the services' secrets.
        max_connections_percent: Share of the instance's `max_connections` the pool may take.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_identifier: pulumi.Input[str]
    instance_security_group_id: pulumi.Input[str]
    reader_address: pulumi.Input[str]
    services: Mapping[str, str]
    secrets_key_arn: pulumi.Input[str]
    protect: bool
    max_connections_percent: int = 80


class PostgresProxy(pulumi.ComponentResource):
    """A TLS-only proxy that logs in with one secret per service.

    Attributes:
        endpoint: Host name of the proxy (read and write).
        proxy_name: Name of the proxy.
        proxy_arn: ARN of the proxy.
        security_group_id: Group of the proxy.
        service_secret_arns: Secret of each service's user, by service.
    """

    endpoint: pulumi.Output[str]
    proxy_name: pulumi.Output[str]
    proxy_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]

    def __init__(self, name: str, args: PostgresProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:PostgresProxy", name, None, opts)
