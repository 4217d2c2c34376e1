"""DocumentDB global clusters."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import VERSION_PREFIX
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Read, ResourceType, Run, Wait


def _upgrade_members(context: Context) -> None:
    for member in context.state.get("globalClusterMembers") or ():
        context.call(
            "modify_db_cluster",
            DBClusterIdentifier=member["dbClusterArn"].rsplit(":", 1)[-1],
            EngineVersion=context.inputs["engineVersion"],
            ApplyImmediately=True,
            region=member["dbClusterArn"].split(":")[3],
        )


def _release_members(context: Context) -> None:
    for member in context.state.get("globalClusterMembers") or ():
        context.find(
            "remove_from_global_cluster",
            "GlobalCluster",
            GlobalClusterIdentifier=context.id,
            DbClusterIdentifier=member["dbClusterArn"],
        )


GLOBAL_CLUSTER = ResourceType(
    pulumi_type="aws:docdb/globalCluster:GlobalCluster",
    service="docdb",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/docdb_global_cluster",
    id=Id(template="{globalClusterIdentifier}"),
    create=(Call("create_global_cluster", item="GlobalCluster"),),
    read=Read(
        "describe_global_clusters",
        set={"GlobalClusterIdentifier": "{id}"},
        item="GlobalClusters[?GlobalClusterIdentifier=='{id}'] | [0]",
    ),
    update=(
        Call("modify_global_cluster", set={"GlobalClusterIdentifier": "{id}"}, on=("deletionProtection",)),
        Run(_upgrade_members, on=("engineVersion",)),
    ),
    delete=(
        Run(_release_members),
        Call("delete_global_cluster", set={"GlobalClusterIdentifier": "{id}"}),
    ),
    fields={
        "arn": Field("GlobalClusterArn"),
        "deletionProtection": Field(default=False),
        "engineVersion": Field(convert=VERSION_PREFIX),
        "sourceDbClusterIdentifier": Field("SourceDBClusterIdentifier", write_only=True),
    },
    force_new=(
        "databaseName",
        "engine",
        "globalClusterIdentifier",
        "sourceDbClusterIdentifier",
        "storageEncrypted",
    ),
    created=Wait("Status", until=("available",)),
    updated=Wait("Status", until=("available",)),
    deleted=Wait("Status", until=("deleted",)),
    check=(exactly_one("engine", "sourceDbClusterIdentifier"),),
    delete_retry=("InvalidGlobalClusterStateFault: is not empty",),
)
