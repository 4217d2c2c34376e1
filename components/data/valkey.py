"""ElastiCache for Valkey: sessions and cache over three zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.secrets.rotation import RotationTarget


@dataclass(frozen=True, kw_only=True)
class ValkeyArgs:
    """What the replication group needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        zones: Availability zones, one node in each.
        client_security_group_ids: Who may connect on 6379, by a short stable name.
        node_type: One of `components.data.instance_classes.VALKEY`.
        data_key_arn: KMS key of the `customer` data class.
        logs_key_arn: KMS key of the `operations` data class.
        secrets_key_arn: KMS key of the `secrets` data class.
        services: Key prefixes that each service may touch (`{"user": ("session:", "user:")}`).
        protect: Whether Pulumi refuses to delete the stateful resources.
        engine_version: Valkey major.minor at creation.
        snapshot_retention_days: Days that daily snapshots are kept, 1 to 35.
        log_retention_days: Days that the engine's logs are kept.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    zones: Sequence[str]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    node_type: str
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    services: Mapping[str, Sequence[str]]
    protect: bool
    engine_version: str = "8.1"
    snapshot_retention_days: int = 30
    log_retention_days: int = 365


class Valkey(pulumi.ComponentResource):
    """A Valkey primary with a replica in each other zone, private, encrypted, TLS only, one user a service.

    Attributes:
        primary_endpoint: Host name for reads and writes.
        reader_endpoint: Host name that spreads reads over the replicas.
        port: TCP port.
        replication_group_id: Identifier of the replication group.
        replication_group_arn: ARN of the replication group.
        security_group_id: Group of the nodes.
        service_secret_arns: Secret of each service's user, by service.
        rotation_targets: What `Rotation` needs to rotate the users' passwords.
    """

    primary_endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    replication_group_id: pulumi.Output[str]
    replication_group_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: ValkeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:Valkey", name, None, opts)
