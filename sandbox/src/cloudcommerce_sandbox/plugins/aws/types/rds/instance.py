"""RDS instances: primaries, read replicas and instances restored from a backup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import IGNORE_CASE, LOWER, VERSION_PREFIX, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags
from cloudcommerce_sandbox.plugins.aws.types.rds.logs import log_export_changes
from cloudcommerce_sandbox.plugins.aws.types.rds.snapshots import final_snapshot
from cloudcommerce_sandbox.plugins.provider import ProviderError

_STATUS = "DBInstanceStatus"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
AVAILABLE = Wait(
    _STATUS,
    until=("available", "storage-optimization"),
    failed=(
        "failed",
        "inaccessible-encryption-credentials",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "restore-error",
        "storage-full",
    ),
    timeout=2400.0,
)

"""An instance of RDS or DocumentDB that can be used."""

DELETED = Wait(_STATUS, until=("deleted",), timeout=3600.0)
"""An instance of RDS or DocumentDB that has gone."""

_RESOURCE_ID = re.compile(r"db-[A-Z0-9]{20,}")
_INSTANCE = {"DBInstanceIdentifier": "{identifier}"}
_SOURCES = ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime")


def _find(context: Context) -> Mapping[str, Any] | None:
    """Find the instance by its unchangeable resource id; an import may name the identifier instead."""
    has_resource_id = bool(_RESOURCE_ID.fullmatch(context.id))
    identifier = context.state.get("identifier") or ("" if has_resource_id else context.id)
    if identifier:
        found = context.find("describe_db_instances", "DBInstances[0]", DBInstanceIdentifier=identifier)
        if found and (not has_resource_id or found.get("DbiResourceId") == context.id):
            return dict(found)
    if not has_resource_id:
        return None
    renamed = context.find(
        "describe_db_instances",
        "DBInstances[0]",
        Filters=[{"Name": "dbi-resource-id", "Values": [context.id]}],
    )
    return dict(renamed) if renamed else None


def _source(context: Context) -> str:
    return next((name for name in _SOURCES if context.inputs.get(name)), "")


def _rename(context: Context) -> None:
    if context.old_inputs["identifier"] == context.inputs["identifier"]:
        return
    context.call(
        "modify_db_instance",
        DBInstanceIdentifier=context.old_inputs["identifier"],
        NewDBInstanceIdentifier=context.inputs["identifier"],
        ApplyImmediately=True,
    )


def _promote(context: Context) -> None:
    if source := context.inputs.get("replicateSourceDb"):
        raise ProviderError(
            f"a replica cannot be moved to another source ({source}): remove replicateSourceDb to "
            "promote it, or make a new replica"
        )
    backups = {
        "BackupRetentionPeriod": context.inputs.get("backupRetentionPeriod"),
        "PreferredBackupWindow": context.inputs.get("backupWindow"),
    }
    context.call(
        "promote_read_replica",
        DBInstanceIdentifier=context.inputs["identifier"],
        **{member: value for member, value in backups.items() if value is not None},
    )


def _scale_storage(context: Context) -> None:
    # AWS has no switch for storage autoscaling: a limit equal to the storage turns it off.
    limit = context.inputs.get("maxAllocatedStorage") or context.state.get("allocatedStorage")
    context.call(
        "modify_db_instance",
        DBInstanceIdentifier=context.inputs["identifier"],
        MaxAllocatedStorage=limit,
        ApplyImmediately=bool(context.inputs.get("applyImmediately")),
    )


def _export_logs(context: Context) -> None:
    context.call(
        "modify_db_instance",
        DBInstanceIdentifier=context.inputs["identifier"],
        CloudwatchLogsExportConfiguration=log_export_changes(context),
        ApplyImmediately=bool(context.inputs.get("applyImmediately")),
    )


def _delete(context: Context) -> None:
    identifier = context.state.get("identifier")
    if not identifier:
        found = _find(context)
        if found is None:
            return
        identifier = found["DBInstanceIdentifier"]
    context.call(
        "delete_db_instance",
        DBInstanceIdentifier=identifier,
        DeleteAutomatedBackups=context.inputs.get("deleteAutomatedBackups", True),
        **final_snapshot(context.inputs),
    )


def _same_source(actual: Any, wanted: Any) -> bool:
    """AWS reports a source in the same region by identifier, even if it was given as an ARN."""
    return str(actual).rsplit(":", 1)[-1] == str(wanted).rsplit(":", 1)[-1]


_AFTER_COPY = Call(
    "modify_db_instance",
    set={**_INSTANCE, "ApplyImmediately": True},
    on=(
        "backupRetentionPeriod",
        "backupWindow",
        "databaseInsightsMode",
        "engineVersion",
        "maintenanceWindow",
        "monitoringInterval",
        "monitoringRoleArn",
        "password",
        "performanceInsightsEnabled",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
    ),
    when=lambda context: bool(_source(context)),
)

INSTANCE = ResourceType(
    pulumi_type="aws:rds/instance:Instance",
    service="rds",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance",
    id=Id(response="DBInstance.DbiResourceId"),
    create=(
        Call("create_db_instance", item="DBInstance", when=lambda context: not _source(context)),
        Call(
            "create_db_instance_read_replica",
            item="DBInstance",
            names={"replicateSourceDb": "SourceDBInstanceIdentifier"},
            when=lambda context: _source(context) == "replicateSourceDb",
            wait=AVAILABLE,
        ),
        Call(
            "restore_db_instance_from_db_snapshot",
            item="DBInstance",
            names={"snapshotIdentifier": "DBSnapshotIdentifier"},
            when=lambda context: _source(context) == "snapshotIdentifier",
            wait=AVAILABLE,
        ),
        Call(
            "restore_db_instance_to_point_in_time",
            item="DBInstance",
            names={
                "identifier": "TargetDBInstanceIdentifier",
                "restoreToPointInTime": "",
            },
            when=lambda context: _source(context) == "restoreToPointInTime",
            wait=AVAILABLE,
        ),
        _AFTER_COPY,
        Run(_scale_storage, on=("maxAllocatedStorage",), when=lambda context: bool(_source(context))),
    ),
    read=Read(function=_find),
    update=(
        Run(_rename, on=("identifier", "identifierPrefix"), wait=AVAILABLE),
        Run(_promote, on=("replicateSourceDb",), wait=AVAILABLE),
        Call(
            "modify_db_instance",
            set={
                **_INSTANCE,
                "ApplyImmediately": "{applyImmediately}",
                "AllowMajorVersionUpgrade": "{allowMajorVersionUpgrade}",
            },
            names={"port": "DBPortNumber"},
            # RDS takes changes of Performance Insights only together with its switch.
            props=("performanceInsightsEnabled",),
            omit=("identifier", "enabledCloudwatchLogsExports", "maxAllocatedStorage"),
            wait=AVAILABLE,
        ),
        Run(_scale_storage, on=("maxAllocatedStorage",), wait=AVAILABLE),
        Run(_export_logs, on=("enabledCloudwatchLogsExports",), wait=AVAILABLE),
    ),
    delete=(Run(_delete),),
    name=Name("identifier", prefix="identifierPrefix", max_length=63, lower=True, allowed="a-z0-9-"),
    tags=rds_tags(),
    fields={
        "address": Field(read="Endpoint.Address"),
        "arn": Field("DBInstanceArn"),
        "autoMinorVersionUpgrade": Field(default=True),
        "backupWindow": Field("PreferredBackupWindow"),
        "caCertIdentifier": Field("CACertificateIdentifier"),
        "copyTagsToSnapshot": Field(default=False),
        "customerOwnedIpEnabled": Field("EnableCustomerOwnedIp", read="CustomerOwnedIpEnabled"),
        "dbSubnetGroupName": Field("DBSubnetGroupName", read="DBSubnetGroup.DBSubnetGroupName"),
        "deletionProtection": Field(default=False),
        "enabledCloudwatchLogsExports": Field(
            "EnableCloudwatchLogsExports", read="EnabledCloudwatchLogsExports", absent=[]
        ),
        "engine": Field(convert=IGNORE_CASE),
        "engineVersion": Field(convert=VERSION_PREFIX),
        "engineVersionActual": Field(read="EngineVersion"),
        "hostedZoneId": Field(read="Endpoint.HostedZoneId"),
        "iamDatabaseAuthenticationEnabled": Field(
            "EnableIAMDatabaseAuthentication", read="IAMDatabaseAuthenticationEnabled", default=False
        ),
        "identifier": Field("DBInstanceIdentifier", convert=LOWER),
        "instanceClass": Field("DBInstanceClass"),
        # It moves every few minutes and would make each refresh report a change.
        "latestRestorableTime": Field(read=""),
        "listenerEndpoints": Field("ListenerEndpoint"),
        "maintenanceWindow": Field("PreferredMaintenanceWindow", convert=LOWER),
        "masterUserSecrets": Field("MasterUserSecret"),
        "maxAllocatedStorage": Field(default=0, absent=0),
        "monitoringInterval": Field(default=0),
        "optionGroupName": Field("OptionGroupName", read="OptionGroupMemberships[0].OptionGroupName"),
        "parameterGroupName": Field("DBParameterGroupName", read="DBParameterGroups[0].DBParameterGroupName"),
        "password": Field("MasterUserPassword", write_only=True, secret=True),
        "performanceInsightsEnabled": Field(
            "EnablePerformanceInsights", read="PerformanceInsightsEnabled", default=False
        ),
        "port": Field("Port", read="Endpoint.Port"),
        "publiclyAccessible": Field(default=False),
        "replicas": Field(read="ReadReplicaDBInstanceIdentifiers"),
        "replicateSourceDb": Field(
            read="ReadReplicaSourceDBInstanceIdentifier",
            convert=Convert(equal=_same_source),
            default="",
            absent="",
        ),
        "resourceId": Field("DbiResourceId"),
        "restoreToPointInTime": Field(write_only=True),
        "snapshotIdentifier": Field(write_only=True),
        "status": Field(read=_STATUS),
        "storageEncrypted": Field(default=False),
        "username": Field("MasterUsername"),
        "vpcSecurityGroupIds": Field(read="VpcSecurityGroups[].VpcSecurityGroupId"),
    },
    force_new=(
        "availabilityZone",
        "backupTarget",
        "characterSetName",
        "customIamInstanceProfile",
        "dbName",
        "engine",
        "engineLifecycleSupport",
        "kmsKeyId",
        "ncharCharacterSetName",
        "restoreToPointInTime",
        "snapshotIdentifier",
        "storageEncrypted",
        "timezone",
        "username",
    ),
    outputs={"endpoint": "{address}:{port}"},
    no_output=("latestRestorableTime",),
    local=(
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "deleteAutomatedBackups",
        "finalSnapshotIdentifier",
        "skipFinalSnapshot",
    ),
    unsupported={
        "blueGreenUpdate": "blue/green deployments",
        "domain": "Active Directory",
        "domainAuthSecretArn": "Active Directory",
        "domainDnsIps": "Active Directory",
        "domainFqdn": "Active Directory",
        "domainIamRoleName": "Active Directory",
        "domainOu": "Active Directory",
        "passwordWo": "write-only arguments: password is a secret in state",
        "passwordWoVersion": "write-only arguments: password is a secret in state",
        "s3Import": "import of a backup from S3",
        "upgradeStorageConfig": "upgrades of a replica's file system",
        "warningEventCategories": "warnings made from RDS events",
    },
    created=AVAILABLE,
    updated=AVAILABLE,
    deleted=DELETED,
    check=(
        conflicts("identifier", "identifierPrefix"),
        conflicts("password", "manageMasterUserPassword"),
        conflicts("dbName", "replicateSourceDb"),
        conflicts("username", "replicateSourceDb"),
        conflicts(*_SOURCES),
    ),
)
