"""What Amazon RDS and Amazon DocumentDB refuse about instances and clusters."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, combination, invalid, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError

_API = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide"

_PASSWORD_LENGTHS = {"postgres": (8, 128), "docdb": (8, 100)}
_FORBIDDEN_IN_PASSWORDS = set('/"@ ')
_RESERVED_USERS = {"postgres": {"admin", "rdsadmin"}, "docdb": {"admin"}}
_GP3_STORAGE = (20, 65_536)
_GP3_STRIPED_FROM = 400
_GP3_IOPS = (12_000, 64_000)
_GP3_THROUGHPUT = (500, 4_000)
_MAX_BACKUP_DAYS = 35
_ADVANCED_INSIGHTS_DAYS = 465


def _instance(request: Request, name: str = "DBInstanceIdentifier") -> Any | None:
    databases = state.backend("rds", request.region).databases
    return databases.get(str(request.get(name)).rsplit(":", 1)[-1])


@refuses(
    "rds",
    "CreateDBInstance",
    "CreateDBCluster",
    source=f"{_GUIDE}/PostgreSQL.Concepts.General.DBVersions.html",
)
def engine_version_out_of_support(request: Request) -> None:
    """Only versions that can still be created."""
    engine, version = str(request.get("Engine")), request.get("EngineVersion")
    if catalog.is_refused(engine, version):
        raise combination(
            f"Cannot find version {version} for {engine} ({catalog.source_of_versions(engine)})"
        )


@refuses("rds", "CreateDBInstanceReadReplica", source=f"{_GUIDE}/rds-secrets-manager.html")
def replica_of_an_instance_with_a_managed_password(request: Request) -> None:
    """A source's password cannot be managed in Secrets Manager, but for SQL Server."""
    source = _instance(request, "SourceDBInstanceIdentifier")
    if source is None or source.engine.startswith("sqlserver"):
        return
    if source.manage_master_user_password:
        raise invalid(
            f"Creating read replicas for source instance with engine {source.engine} where "
            "ManageMasterUserPassword is enabled is not supported."
        )


@refuses("rds", "CreateDBInstanceReadReplica", source=f"{_GUIDE}/USER_ReadRepl.html")
def replica_of_an_instance_without_backups(request: Request) -> None:
    """A source needs automated backups."""
    source = _instance(request, "SourceDBInstanceIdentifier")
    if source is not None and source.backup_retention_period == 0:
        raise ApiError(
            "InvalidDBInstanceState",
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value.",
        )


@refuses("rds", "ModifyDBInstance", source=f"{_API}/API_ModifyDBInstance.html")
def no_backups_on_a_source_of_replicas(request: Request) -> None:
    """Backups of a source stay on while it has replicas."""
    instance = _instance(request)
    if instance is not None and instance.replicas and request.get("BackupRetentionPeriod") == 0:
        raise combination(
            "Backup retention period cannot be 0 while the instance is a source of read replicas."
        )


@refuses(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    "CreateDBCluster",
    "ModifyDBCluster",
    source=f"{_API}/API_CreateDBInstance.html",
)
def backup_retention_out_of_range(request: Request) -> None:
    """Up to 35 days; clusters at least one."""
    days = request.get("BackupRetentionPeriod")
    least = 1 if request.operation.endswith("Cluster") else 0
    if days is not None and not least <= days <= _MAX_BACKUP_DAYS:
        raise invalid(f"Invalid backup retention period: {days}. Must be from {least} to {_MAX_BACKUP_DAYS}.")


@refuses(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    "CreateDBCluster",
    "ModifyDBCluster",
    source=f"{_GUIDE}/CHAP_Limits.html#RDS_Limits.Constraints",
)
def master_password_rules(request: Request) -> None:
    """Length by engine, and no slash, quote, at sign or space."""
    password = request.get("MasterUserPassword")
    if password is None:
        return
    least, most = _PASSWORD_LENGTHS.get(_engine_of(request), (8, 128))
    if not least <= len(password) <= most:
        raise invalid(
            f"The parameter MasterUserPassword is not a valid password because it is not {least} to {most} "
            "characters long."
        )
    if not password.isascii() or not password.isprintable() or set(password) & _FORBIDDEN_IN_PASSWORDS:
        raise invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII "
            "characters besides "
            "'/', '@', '\"', ' ' may be used."
        )


def _engine_of(request: Request) -> str:
    if request.get("Engine"):
        return str(request.get("Engine"))
    instance = _instance(request)
    return str(instance.engine) if instance else "docdb"


@refuses("rds", "CreateDBInstance", "CreateDBCluster", source=f"{_API}/API_CreateDBInstance.html")
def reserved_master_username(request: Request) -> None:
    """Some names belong to the engine."""
    user, engine = str(request.get("MasterUsername", "")), str(request.get("Engine"))
    if user.lower() in _RESERVED_USERS.get(engine, set()):
        raise invalid(f"MasterUsername {user} cannot be used as it is a reserved word used by the engine")


@refuses("rds", "CreateDBInstance", source=f"{_GUIDE}/CHAP_Storage.html#gp3-storage")
def gp3_storage_limits(request: Request) -> None:
    """Size, and IOPS and throughput that come only with a striped volume."""
    if request.get("StorageType") != "gp3" or request.get("Engine") != "postgres":
        return
    size, iops, throughput = (request.get(n) for n in ("AllocatedStorage", "Iops", "StorageThroughput"))
    if size is not None and not _GP3_STORAGE[0] <= size <= _GP3_STORAGE[1]:
        raise combination(f"Invalid storage size for engine postgres and storage type gp3: {size}")
    if size is None or size >= _GP3_STRIPED_FROM:
        for name, value, (least, most) in (
            ("IOPS", iops, _GP3_IOPS),
            ("storage throughput", throughput, _GP3_THROUGHPUT),
        ):
            if value is not None and not least <= value <= most:
                raise combination(f"Invalid {name} value for gp3: {value}. Must be from {least} to {most}.")
    elif iops is not None or throughput is not None:
        raise combination(
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than "
            f"{_GP3_STRIPED_FROM}."
        )


@refuses("rds", "CreateDBInstance", "ModifyDBInstance", source=f"{_GUIDE}/USER_DatabaseInsights.html")
def advanced_insights_without_their_history(request: Request) -> None:
    """The advanced mode needs Performance Insights with 15 months of history."""
    if request.get("DatabaseInsightsMode") != "advanced":
        return
    instance = _instance(request)
    enabled = request.get(
        "EnablePerformanceInsights", bool(instance and instance.enable_performance_insights)
    )
    days = request.get(
        "PerformanceInsightsRetentionPeriod",
        instance.performance_insights_retention_period if instance else None,
    )
    if not enabled or (days or 0) < _ADVANCED_INSIGHTS_DAYS:
        raise combination(
            "To enable the advanced mode of Database Insights, enable Performance Insights and "
            "set its retention "
            f"period to at least {_ADVANCED_INSIGHTS_DAYS} days."
        )


@refuses("rds", "CreateDBInstance", "ModifyDBInstance", source=f"{_GUIDE}/USER_Monitoring.OS.Enabling.html")
def monitoring_role_without_trust(request: Request) -> None:
    """Enhanced monitoring needs a role that lets RDS in."""
    arn = request.get("MonitoringRoleArn")
    if arn and not state.trusts(arn, "monitoring.rds.amazonaws.com"):
        raise invalid(
            "IAM role ARN value is invalid or does not include the required permissions for: "
            "ENHANCED_MONITORING"
        )


@refuses("rds", "DeleteDBInstance", "DeleteDBCluster", source=f"{_API}/API_DeleteDBInstance.html")
def deletion_without_a_decision_on_the_final_snapshot(request: Request) -> None:
    """Name a final snapshot or skip it, and not both; a replica and a cluster's member have none."""
    snapshot, skip = request.get("FinalDBSnapshotIdentifier"), bool(request.get("SkipFinalSnapshot"))
    instance = _instance(request) if request.operation == "DeleteDBInstance" else None
    if instance is not None and instance.db_cluster_identifier:
        return
    if instance is not None and instance.is_replica and snapshot:
        raise combination("FinalDBSnapshotIdentifier can not be specified when deleting a replica instance")
    if snapshot and skip:
        raise combination("FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is enabled")
    if not snapshot and not skip and not (instance is not None and instance.is_replica):
        raise combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")


@refuses(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    "CreateDBInstanceReadReplica",
    "CreateDBCluster",
    "ModifyDBCluster",
    "CreateDBProxy",
    source=f"{_API}/API_CreateDBInstance.html",
)
def missing_security_group(request: Request) -> None:
    """Security groups must exist."""
    state.require_security_groups(request.region, request.get("VpcSecurityGroupIds"), "InvalidParameterValue")


@refuses(
    "rds",
    "CreateDBInstance",
    "CreateDBInstanceReadReplica",
    "CreateDBCluster",
    source=f"{_GUIDE}/Overview.Encryption.Keys.html",
)
def unusable_key(request: Request) -> None:
    """Keys must exist and be enabled."""
    for name in ("KmsKeyId", "PerformanceInsightsKMSKeyId"):
        state.require_usable_key(request.region, request.get(name), "KMSKeyNotAccessibleFault")
