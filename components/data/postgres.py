"""RDS for PostgreSQL: a Multi-AZ primary and a read replica."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.secrets.rotation import RotationTarget


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """What the database needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        client_security_group_ids: Who may connect on 5432, by a short stable name (`{"workloads": id}`).
        instance_class: One of `components.data.instance_classes.RDS`.
        allocated_storage: First size of the volume in GiB.
        max_allocated_storage: Limit of storage autoscaling in GiB.
        data_key_arn: KMS key of the `commerce` data class (volume, snapshots, Performance Insights).
        logs_key_arn: KMS key of the `operations` data class.
        secrets_key_arn: KMS key of the `secrets` data class.
        deletion_protection: Whether RDS refuses to delete the instances.
        protect: Whether Pulumi refuses to delete the stateful resources.
        engine_version: PostgreSQL major; RDS chooses and upgrades the minor.
        master_username: Administrator, used by the bootstrap program only.
        backup_retention_days: Days of point-in-time recovery, 1 to 35.
        log_retention_days: Days that the exported logs are kept.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_class: str
    allocated_storage: int
    max_allocated_storage: int
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    deletion_protection: bool
    protect: bool
    engine_version: str = "17"
    master_username: str = "cloudcommerce_admin"
    backup_retention_days: int = 30
    log_retention_days: int = 365


class Postgres(pulumi.ComponentResource):
    """A Multi-AZ PostgreSQL instance with a read replica, private, encrypted and TLS only.

    Attributes:
        address: Host name of the primary.
        reader_address: Host name of the read replica.
        port: TCP port of both.
        instance_identifier: Identifier of the primary.
        instance_arn: ARN of the primary.
        replica_identifier: Identifier of the replica.
        replica_arn: ARN of the replica.
        security_group_id: Group of both instances.
        master_secret_arn: Secret of the administrator.
        rotation_targets: What `Rotation` needs to rotate the administrator's password.
    """

    address: pulumi.Output[str]
    reader_address: pulumi.Output[str]
    port: pulumi.Output[int]
    instance_identifier: pulumi.Output[str]
    instance_arn: pulumi.Output[str]
    replica_identifier: pulumi.Output[str]
    replica_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:Postgres", name, None, opts)
