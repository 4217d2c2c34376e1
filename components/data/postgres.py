"""RDS for PostgreSQL: a Multi-AZ primary and a read replica."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.data.instance_classes import RDS, capacity
from components.data.monitoring_role import monitoring_role
from components.data.postgres_parameters import Role, postgres_parameters
from components.data.storage import least_limit
from components.data.store_identity import check_backup_days, incarnation, store_log_groups
from components.network.access import store_security_group
from components.secrets.credential import Credential, CredentialArgs
from components.secrets.rotation import RotationTarget

PORT = 5432
_LOGS = ("postgresql", "upgrade")
_CA = "rds-ca-rsa2048-g1"
_MONITORING_SECONDS = 60
_INSIGHTS_DAYS = 7
"""Retention without surcharge; the only one that Database Insights takes in standard mode."""


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
        replica_multi_az: Whether the replica has a standby in another zone, so that reads survive a zone too.
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
    replica_multi_az: bool = True

    def __post_init__(self) -> None:
        check_backup_days(self.backup_retention_days)
        if self.max_allocated_storage < (least := least_limit(self.allocated_storage)):
            raise ValueError(
                f"max_allocated_storage is {self.max_allocated_storage} GiB and allocated_storage "
                f"{self.allocated_storage} GiB; RDS wants room to grow, at least {least} GiB"
            )


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
        parameter_group_names: Parameter groups by role (`primary`, `replica`).
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
    parameter_group_names: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:Postgres", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._memory = capacity(RDS, args.instance_class).memory
        self._suffix = incarnation(name, self)
        group = store_security_group(
            name,
            parent=self,
            description="PostgreSQL: its clients only",
            vpc_id=args.vpc_id,
            ports={"postgres": PORT},
            clients=args.client_security_group_ids,
        )
        groups = {role: self._parameter_group(role) for role in ("primary", "replica")}
        self._monitoring, self._may_monitor = monitoring_role(f"{name}-monitoring", parent=self)
        master = Credential(
            f"{name}-master",
            CredentialArgs(
                engine="postgres",
                username=args.master_username,
                secrets_key_arn=args.secrets_key_arn,
                protect=args.protect,
            ),
            self._child,
        )
        primary = self._primary(group, groups["primary"], master)
        replica = self._replica(primary, group, groups["replica"])
        master_secret_arn = master.attach(
            host=primary.address,
            port=primary.port,
            resource_id=primary.identifier,
            extra={"dbname": "postgres", "reader_host": replica.address},
        )
        self.address = primary.address
        self.reader_address = replica.address
        self.port = primary.port
        self.instance_identifier = primary.identifier
        self.instance_arn = primary.arn
        self.replica_identifier = replica.identifier
        self.replica_arn = replica.arn
        self.security_group_id = group.id
        self.master_secret_arn = master_secret_arn
        self.parameter_group_names = pulumi.Output.all(
            **{role: parameter_group.name for role, parameter_group in groups.items()}
        )
        self.rotation_targets = {
            f"{name}-master": RotationTarget(
                engine="postgres", secret_arn=master_secret_arn, resource_arn=primary.arn
            )
        }
        self.register_outputs(
            {
                "address": self.address,
                "reader_address": self.reader_address,
                "port": self.port,
                "instance_identifier": self.instance_identifier,
                "instance_arn": self.instance_arn,
                "replica_identifier": self.replica_identifier,
                "replica_arn": self.replica_arn,
                "security_group_id": self.security_group_id,
                "master_secret_arn": self.master_secret_arn,
                "parameter_group_names": self.parameter_group_names,
            }
        )

    def _parameter_group(self, role: Role) -> aws.rds.ParameterGroup:
        return aws.rds.ParameterGroup(
            f"{self._name}-parameters-{role}",
            family=f"postgres{self._args.engine_version}",
            # Changing a description replaces the group: it must not follow the instance class.
            description=f"PostgreSQL {role}",
            parameters=[
                {"name": p.name, "value": p.value, "apply_method": p.apply_method}
                for p in postgres_parameters(self._memory, role)
            ],
            tags={"Name": f"{self._name}-parameters-{role}"},
            opts=self._child,
        )

    def _log_groups(self, instance: str, identifier: pulumi.Output[str]) -> list[aws.cloudwatch.LogGroup]:
        groups = store_log_groups(
            instance,
            parent=self,
            prefix=pulumi.Output.concat("/aws/rds/instance/", identifier),
            logs=_LOGS,
            key_arn=self._args.logs_key_arn,
            retention_days=self._args.log_retention_days,
        )
        return list(groups.values())

    def _stateful(self, depends_on: list[aws.cloudwatch.LogGroup], *ignored: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._args.protect,
            depends_on=[*depends_on, self._may_monitor],
            ignore_changes=["engineVersion", *ignored],
        )

    def _primary(
        self, group: aws.ec2.SecurityGroup, parameters: aws.rds.ParameterGroup, master: Credential
    ) -> aws.rds.Instance:
        args, name = self._args, self._name
        identifier = pulumi.Output.concat(name, "-", self._suffix)
        subnets = aws.rds.SubnetGroup(
            f"{name}-subnets",
            description="Isolated subnets of PostgreSQL",
            subnet_ids=list(args.subnet_ids),
            tags={"Name": f"{name}-subnets"},
            opts=self._child,
        )
        return aws.rds.Instance(
            f"{name}-primary",
            identifier=identifier,
            engine="postgres",
            engine_version=args.engine_version,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            instance_class=args.instance_class,
            allocated_storage=args.allocated_storage,
            max_allocated_storage=args.max_allocated_storage,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args.data_key_arn,
            username=args.master_username,
            password=master.password,
            port=PORT,
            multi_az=True,
            publicly_accessible=False,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.id],
            parameter_group_name=parameters.name,
            ca_cert_identifier=_CA,
            backup_retention_period=args.backup_retention_days,
            backup_window="03:00-04:00",
            maintenance_window="sun:04:30-sun:05:30",
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=args.deletion_protection,
            skip_final_snapshot=False,
            final_snapshot_identifier=pulumi.Output.concat(identifier, "-final"),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.data_key_arn,
            performance_insights_retention_period=_INSIGHTS_DAYS,
            database_insights_mode="standard",
            monitoring_interval=_MONITORING_SECONDS,
            monitoring_role_arn=self._monitoring.arn,
            enabled_cloudwatch_logs_exports=list(_LOGS),
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            apply_immediately=False,
            tags={"Name": f"{name}-primary"},
            opts=self._stateful(self._log_groups(f"{name}-primary", identifier), "password"),
        )

    def _replica(
        self, primary: aws.rds.Instance, group: aws.ec2.SecurityGroup, parameters: aws.rds.ParameterGroup
    ) -> aws.rds.Instance:
        """The read replica; engine, volume, key, subnets and users are the primary's and must not be named.

        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
        RDS takes no final snapshot of a replica.
        """
        args, name = self._args, self._name
        identifier = pulumi.Output.concat(name, "-replica-", self._suffix)
        return aws.rds.Instance(
            f"{name}-replica",
            identifier=identifier,
            replicate_source_db=primary.identifier,
            instance_class=args.instance_class,
            max_allocated_storage=args.max_allocated_storage,
            storage_type="gp3",
            storage_encrypted=True,
            port=PORT,
            multi_az=args.replica_multi_az,
            publicly_accessible=False,
            vpc_security_group_ids=[group.id],
            parameter_group_name=parameters.name,
            ca_cert_identifier=_CA,
            maintenance_window="sat:04:30-sat:05:30",
            copy_tags_to_snapshot=True,
            deletion_protection=args.deletion_protection,
            skip_final_snapshot=True,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.data_key_arn,
            performance_insights_retention_period=_INSIGHTS_DAYS,
            database_insights_mode="standard",
            monitoring_interval=_MONITORING_SECONDS,
            monitoring_role_arn=self._monitoring.arn,
            enabled_cloudwatch_logs_exports=list(_LOGS),
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            tags={"Name": f"{name}-replica"},
            opts=self._stateful(self._log_groups(f"{name}-replica", identifier)),
        )
