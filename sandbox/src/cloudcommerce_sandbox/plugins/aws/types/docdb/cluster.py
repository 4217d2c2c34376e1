"""DocumentDB clusters: fresh ones and such restored from a backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import LOWER, VERSION_PREFIX
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run, Wait
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags
from cloudcommerce_sandbox.plugins.aws.types.rds.logs import log_export_changes
from cloudcommerce_sandbox.plugins.aws.types.rds.snapshots import final_snapshot
from cloudcommerce_sandbox.plugins.provider import ProviderError

_AVAILABLE = Wait(
    "Status",
    until=("available",),
    failed=("failed", "inaccessible-encryption-credentials", "incompatible-parameters"),
    timeout=7200.0,
)

_DELETED = Wait("Status", until=("deleted",), timeout=7200.0)
_CLUSTER = {"DBClusterIdentifier": "{id}"}
_SOURCES = ("snapshotIdentifier", "restoreToPointInTime")


def _find_cluster(context: Context) -> Mapping[str, Any] | None:
    cluster = context.find("describe_db_clusters", "DBClusters[0]", DBClusterIdentifier=context.id)
    if cluster is None:
        return None
    membership = f"GlobalClusters[?GlobalClusterMembers[?DBClusterArn=='{cluster['DBClusterArn']}']]"
    global_cluster = context.find("describe_global_clusters", f"{membership}.GlobalClusterIdentifier | [0]")
    return {**cluster, "GlobalClusterIdentifier": global_cluster or ""}


def _source(context: Context) -> str:
    return next((name for name in _SOURCES if context.inputs.get(name)), "")


def _leave_global_cluster(context: Context) -> None:
    before = context.old_inputs.get("globalClusterIdentifier")
    wanted = context.inputs.get("globalClusterIdentifier")
    if not before or wanted:
        raise ProviderError(
            f"an existing cluster cannot join the global cluster {wanted}: it can only leave one, "
            "or be created as its member"
        )
    _detach(context, before)


def _detach(context: Context, global_cluster: str) -> None:
    context.find(
        "remove_from_global_cluster",
        "GlobalCluster",
        GlobalClusterIdentifier=global_cluster,
        DbClusterIdentifier=context.state["arn"],
    )


def _export_logs(context: Context) -> None:
    context.call(
        "modify_db_cluster",
        DBClusterIdentifier=context.id,
        CloudwatchLogsExportConfiguration=log_export_changes(context),
        ApplyImmediately=bool(context.inputs.get("applyImmediately")),
    )


def _delete_cluster(context: Context) -> None:
    request = final_snapshot(context.inputs)
    if global_cluster := context.state.get("globalClusterIdentifier"):
        _detach(context, global_cluster)
    context.call("delete_db_cluster", DBClusterIdentifier=context.id, **request)


CLUSTER = ResourceType(
    pulumi_type="aws:docdb/cluster:Cluster",
    service="docdb",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/docdb_cluster",
    id=Id(template="{clusterIdentifier}"),
    create=(
        Call("create_db_cluster", item="DBCluster", when=lambda context: not _source(context)),
        Call(
            "restore_db_cluster_from_snapshot",
            item="DBCluster",
            when=lambda context: _source(context) == "snapshotIdentifier",
            wait=_AVAILABLE,
        ),
        Call(
            "restore_db_cluster_to_point_in_time",
            item="DBCluster",
            names={"restoreToPointInTime": ""},
            when=lambda context: _source(context) == "restoreToPointInTime",
            wait=_AVAILABLE,
        ),
        # What the restoring operations do not take.
        Call(
            "modify_db_cluster",
            set={**_CLUSTER, "ApplyImmediately": True},
            on=(
                "backupRetentionPeriod",
                "dbClusterParameterGroupName",
                "masterPassword",
                "preferredBackupWindow",
                "preferredMaintenanceWindow",
            ),
            when=lambda context: bool(_source(context)),
        ),
    ),
    read=Read(function=_find_cluster),
    update=(
        Call(
            "modify_db_cluster",
            set={
                **_CLUSTER,
                "ApplyImmediately": "{applyImmediately}",
                "AllowMajorVersionUpgrade": "{allowMajorVersionUpgrade}",
            },
            omit=("enabledCloudwatchLogsExports",),
            wait=_AVAILABLE,
        ),
        Run(_export_logs, on=("enabledCloudwatchLogsExports",), wait=_AVAILABLE),
        Run(_leave_global_cluster, on=("globalClusterIdentifier",)),
    ),
    delete=(Run(_delete_cluster),),
    name=Name(
        "clusterIdentifier", prefix="clusterIdentifierPrefix", max_length=63, lower=True, allowed="a-z0-9-"
    ),
    tags=rds_tags(),
    fields={
        "arn": Field("DBClusterArn"),
        "backupRetentionPeriod": Field(default=1),
        "clusterIdentifier": Field("DBClusterIdentifier", convert=LOWER),
        "clusterMembers": Field(read="DBClusterMembers[].DBInstanceIdentifier"),
        "clusterResourceId": Field("DbClusterResourceId"),
        "dbClusterParameterGroupName": Field("DBClusterParameterGroupName", read="DBClusterParameterGroup"),
        "dbSubnetGroupName": Field("DBSubnetGroupName", read="DBSubnetGroup"),
        "deletionProtection": Field(default=False),
        "enabledCloudwatchLogsExports": Field(
            "EnableCloudwatchLogsExports", read="EnabledCloudwatchLogsExports", absent=[]
        ),
        "engine": Field(default="docdb"),
        "engineVersion": Field(convert=VERSION_PREFIX),
        "globalClusterIdentifier": Field(default=""),
        "masterPassword": Field("MasterUserPassword", write_only=True, secret=True),
        "masterUserSecrets": Field("MasterUserSecret"),
        "port": Field(default=27017),
        "preferredMaintenanceWindow": Field(convert=LOWER),
        "restoreToPointInTime": Field(write_only=True),
        "restoreToPointInTime.sourceClusterIdentifier": Field("SourceDBClusterIdentifier"),
        "snapshotIdentifier": Field(write_only=True),
        "storageEncrypted": Field(default=False),
        "storageType": Field(default="standard", absent="standard"),
        "vpcSecurityGroupIds": Field(read="VpcSecurityGroups[].VpcSecurityGroupId"),
    },
    force_new=(
        "availabilityZones",
        "clusterIdentifier",
        "clusterIdentifierPrefix",
        "dbSubnetGroupName",
        "engine",
        "kmsKeyId",
        "masterUsername",
        "port",
        "restoreToPointInTime",
        "snapshotIdentifier",
        "storageEncrypted",
    ),
    local=("allowMajorVersionUpgrade", "applyImmediately", "finalSnapshotIdentifier", "skipFinalSnapshot"),
    unsupported={
        "clusterMembers": "membership by hand: a ClusterInstance names its cluster",
        "masterPasswordWo": "write-only arguments: masterPassword is a secret in state",
        "masterPasswordWoVersion": "write-only arguments: masterPassword is a secret in state",
    },
    prepare=lambda inputs: {"engine": "docdb", **inputs},
    created=_AVAILABLE,
    updated=_AVAILABLE,
    deleted=_DELETED,
    check=(
        conflicts("clusterIdentifier", "clusterIdentifierPrefix"),
        conflicts("masterPassword", "manageMasterUserPassword"),
        conflicts(*_SOURCES),
    ),
    delete_retry=("InvalidDBClusterStateFault: is not currently in the available state",),
)
