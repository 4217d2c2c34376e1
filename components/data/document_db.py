"""Amazon DocumentDB: the users' documents over three zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.secrets.rotation import RotationTarget


@dataclass(frozen=True, kw_only=True)
class DocumentDbArgs:
    """What the cluster needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        zones: Availability zones, one instance in each.
        client_security_group_ids: Who may connect on 27017, by a short stable name.
        instance_class: One of `components.data.instance_classes.DOCUMENT_DB`.
        data_key_arn: KMS key of the `customer` data class.
        logs_key_arn: KMS key of the `operations` data class.
        secrets_key_arn: KMS key of the `secrets` data class.
        services: Database of each service that connects (`{"user": "users"}`).
        deletion_protection: Whether DocumentDB refuses to delete the cluster.
        protect: Whether Pulumi refuses to delete the stateful resources.
        engine_version: DocumentDB version at creation.
        master_username: Administrator, used by the bootstrap program only.
        backup_retention_days: Days of point-in-time recovery, 1 to 35.
        log_retention_days: Days that the exported logs are kept.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    zones: Sequence[str]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_class: str
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    services: Mapping[str, str]
    deletion_protection: bool
    protect: bool
    engine_version: str = "5.0.0"
    master_username: str = "cloudcommerce_admin"
    backup_retention_days: int = 30
    log_retention_days: int = 365


class DocumentDb(pulumi.ComponentResource):
    """A DocumentDB cluster with an instance in every zone, private, encrypted, audited and TLS only.

    Attributes:
        endpoint: Host name of the writer.
        reader_endpoint: Host name that spreads reads over the replicas.
        port: TCP port.
        cluster_identifier: Identifier of the cluster.
        cluster_arn: ARN of the cluster.
        instance_identifiers: Instance in each zone, by zone.
        security_group_id: Group of the instances.
        master_secret_arn: Secret of the administrator.
        service_secret_arns: Secret of each service's user, by service.
        rotation_targets: What `Rotation` needs to rotate the administrator's password.
    """

    endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    cluster_identifier: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    instance_identifiers: pulumi.Output[Mapping[str, str]]
    security_group_id: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: DocumentDbArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:DocumentDb", name, None, opts)
