"""ElastiCache for Valkey: sessions and cache over three zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.data.instance_classes import VALKEY, capacity
from components.data.store_identity import check_backup_days, incarnation, store_log_groups, zone_letter
from components.data.valkey_access import DENY_ALL, access_string
from components.network.access import store_security_group
from components.secrets.credential import PASSWORD_LENGTH, Credential, CredentialArgs
from components.secrets.rotation import RotationTarget

PORT = 6379
_LOGS = ("engine-log", "slow-log")
_MIN_ZONES = 2

PARAMETERS = {
    # docs/decisions/, "Valkey evicts the least recently used key that expires anyway".
    "maxmemory-policy": "volatile-lru",
    # Room for the copy that a snapshot or a new replica needs while writes go on.
    "reserved-memory-percent": "25",
}


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

    def __post_init__(self) -> None:
        check_backup_days(self.snapshot_retention_days)
        if len(self.zones) < _MIN_ZONES:
            raise ValueError(
                f"{len(self.zones)} zones for Valkey; automatic failover needs {_MIN_ZONES} or more: "
                "name one more"
            )


class Valkey(pulumi.ComponentResource):
    """A Valkey primary with a replica in each other zone, private, encrypted, TLS only, one user a service.

    Attributes:
        primary_endpoint: Host name for reads and writes.
        reader_endpoint: Host name that spreads reads over the replicas.
        port: TCP port.
        replication_group_id: Identifier of the replication group.
        replication_group_arn: ARN of the replication group.
        node_ids: Cache cluster of the node in each zone, by the zone's letter; dimension of its metrics.
        security_group_id: Group of the nodes.
        service_secret_arns: Secret of each service's user, by service.
        rotation_targets: What `Rotation` needs to rotate the users' passwords.
    """

    primary_endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    replication_group_id: pulumi.Output[str]
    replication_group_arn: pulumi.Output[str]
    node_ids: pulumi.Output[Mapping[str, str]]
    security_group_id: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: ValkeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:Valkey", name, None, opts)
        capacity(VALKEY, args.node_type)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._suffix = incarnation(name, self)
        security_group = store_security_group(
            name,
            parent=self,
            description="Valkey: its clients only",
            vpc_id=args.vpc_id,
            ports={"valkey": PORT},
            clients=args.client_security_group_ids,
        )
        credentials = {service: self._credential(service) for service in args.services}
        users = {
            service: self._user(
                service, f"{service}_service", access_string(prefixes), credentials[service].password
            )
            for service, prefixes in args.services.items()
        }
        nobody = self._user("default", "default", DENY_ALL, self._unknown_password())
        user_group = aws.elasticache.UserGroup(
            f"{name}-users",
            user_group_id=pulumi.Output.concat(name, "-", self._suffix),
            engine="valkey",
            user_ids=[user.user_id for user in (nobody, *users.values())],
            tags={"Name": f"{name}-users"},
            opts=self._child,
        )
        group = self._replication_group(security_group, user_group)
        target_arns = {
            service: credential.attach(
                host=group.primary_endpoint_address,
                port=PORT,
                resource_id=users[service].user_id,
                extra={"reader_host": group.reader_endpoint_address},
            )
            for service, credential in credentials.items()
        }
        self.primary_endpoint = group.primary_endpoint_address
        self.reader_endpoint = group.reader_endpoint_address
        self.port = group.port.apply(lambda port: port or PORT)
        self.replication_group_id = group.replication_group_id
        self.replication_group_arn = group.arn
        self.node_ids = pulumi.Output.all(
            **{
                zone_letter(zone): pulumi.Output.concat(group.replication_group_id, f"-{number:03}")
                for number, zone in enumerate(args.zones, start=1)
            }
        )
        self.security_group_id = security_group.id
        self.service_secret_arns = pulumi.Output.all(
            **{service: credential.secret_arn for service, credential in credentials.items()}
        )
        self.rotation_targets = {
            f"{name}-{service}": RotationTarget(
                engine="valkey", secret_arn=secret_arn, resource_arn=users[service].arn
            )
            for service, secret_arn in target_arns.items()
        }
        self.register_outputs(
            {
                "primary_endpoint": self.primary_endpoint,
                "reader_endpoint": self.reader_endpoint,
                "port": self.port,
                "replication_group_id": self.replication_group_id,
                "replication_group_arn": self.replication_group_arn,
                "node_ids": self.node_ids,
                "security_group_id": self.security_group_id,
                "service_secret_arns": self.service_secret_arns,
            }
        )

    def _credential(self, service: str) -> Credential:
        return Credential(
            f"{self._name}-{service}",
            CredentialArgs(
                engine="valkey",
                username=f"{service}_service",
                secrets_key_arn=self._args.secrets_key_arn,
                protect=self._args.protect,
            ),
            self._child,
        )

    def _unknown_password(self) -> pulumi.Output[str]:
        """A password for a user that is off: ElastiCache knows no Valkey user without one."""
        return random.RandomPassword(
            f"{self._name}-default-password", length=PASSWORD_LENGTH, special=False, opts=self._child
        ).result

    def _user(
        self, role: str, username: str, access: str, password: pulumi.Input[str]
    ) -> aws.elasticache.User:
        name = f"{self._name}-user-{role}"
        return aws.elasticache.User(
            name,
            user_id=pulumi.Output.concat(self._name, "-", role, "-", self._suffix),
            user_name=username,
            engine="valkey",
            access_string=access,
            authentication_mode={"type": "password", "passwords": [password]},
            tags={"Name": name},
            # Rotation gives the user its later passwords.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["authenticationMode"]),
        )

    def _replication_group(
        self, security_group: aws.ec2.SecurityGroup, user_group: aws.elasticache.UserGroup
    ) -> aws.elasticache.ReplicationGroup:
        args, name = self._args, self._name
        identifier = pulumi.Output.concat(name, "-", self._suffix)
        subnets = aws.elasticache.SubnetGroup(
            f"{name}-subnets",
            description="Isolated subnets of Valkey",
            subnet_ids=list(args.subnet_ids),
            tags={"Name": f"{name}-subnets"},
            opts=self._child,
        )
        parameters = aws.elasticache.ParameterGroup(
            f"{name}-parameters",
            family=f"valkey{args.engine_version.split('.')[0]}",
            description="Valkey: eviction and reserved memory",
            parameters=[{"name": key, "value": value} for key, value in sorted(PARAMETERS.items())],
            tags={"Name": f"{name}-parameters"},
            opts=self._child,
        )
        log_groups = store_log_groups(
            name,
            parent=self,
            # This prefix spares the account's one log resource policy, which has a size limit.
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
            prefix=pulumi.Output.concat("/aws/vendedlogs/elasticache/", identifier),
            logs=_LOGS,
            key_arn=args.logs_key_arn,
            retention_days=args.log_retention_days,
        )
        return aws.elasticache.ReplicationGroup(
            f"{name}-group",
            replication_group_id=identifier,
            description="Sessions and cache",
            engine="valkey",
            engine_version=args.engine_version,
            node_type=args.node_type,
            port=PORT,
            num_cache_clusters=len(args.zones),
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            preferred_cache_cluster_azs=list(args.zones),
            subnet_group_name=subnets.name,
            security_group_ids=[security_group.id],
            parameter_group_name=parameters.name,
            at_rest_encryption_enabled=True,
            kms_key_id=args.data_key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[user_group.user_group_id],
            snapshot_retention_limit=args.snapshot_retention_days,
            snapshot_window="03:00-04:00",
            maintenance_window="sun:06:30-sun:07:30",
            final_snapshot_identifier=pulumi.Output.concat(identifier, "-final"),
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            log_delivery_configurations=[
                {
                    "destination": log_groups[log].name,
                    "destination_type": "cloudwatch-logs",
                    "log_format": "json",
                    "log_type": log,
                }
                for log in _LOGS
            ],
            tags={"Name": f"{name}-group"},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, ignore_changes=["engineVersion"]),
        )
