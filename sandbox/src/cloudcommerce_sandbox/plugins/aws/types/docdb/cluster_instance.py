"""Instances of a DocumentDB cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import LOWER
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags
from cloudcommerce_sandbox.plugins.aws.types.rds.instance import AVAILABLE, DELETED


def _find_instance(context: Context) -> Mapping[str, Any] | None:
    instance = context.find("describe_db_instances", "DBInstances[0]", DBInstanceIdentifier=context.id)
    if instance is None or "DBClusterIdentifier" not in instance:
        return None
    writer = context.find(
        "describe_db_clusters",
        "DBClusters[0].DBClusterMembers[?IsClusterWriter].DBInstanceIdentifier | [0]",
        DBClusterIdentifier=instance["DBClusterIdentifier"],
    )
    return {**instance, "Writer": writer == instance["DBInstanceIdentifier"]}


CLUSTER_INSTANCE = ResourceType(
    pulumi_type="aws:docdb/clusterInstance:ClusterInstance",
    service="docdb",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/docdb_cluster_instance",
    id=Id(template="{identifier}"),
    create=(Call("create_db_instance", item="DBInstance"),),
    read=Read(function=_find_instance),
    update=(
        Call(
            "modify_db_instance",
            set={
                "DBInstanceIdentifier": "{id}",
                "ApplyImmediately": "{applyImmediately}",
                "CertificateRotationRestart": "{certificateRotationRestart}",
            },
        ),
    ),
    delete=(Call("delete_db_instance", set={"DBInstanceIdentifier": "{id}"}),),
    name=Name("identifier", prefix="identifierPrefix", max_length=63, lower=True, allowed="a-z0-9-"),
    tags=rds_tags(),
    fields={
        "arn": Field("DBInstanceArn"),
        "autoMinorVersionUpgrade": Field(default=True),
        "caCertIdentifier": Field("CACertificateIdentifier"),
        "clusterIdentifier": Field("DBClusterIdentifier", convert=LOWER),
        "copyTagsToSnapshot": Field(default=False),
        "dbSubnetGroupName": Field(read="DBSubnetGroup.DBSubnetGroupName"),
        "enablePerformanceInsights": Field(read="PerformanceInsightsEnabled"),
        "endpoint": Field(read="Endpoint.Address"),
        "engine": Field(default="docdb"),
        "identifier": Field("DBInstanceIdentifier", convert=LOWER),
        "instanceClass": Field("DBInstanceClass"),
        "port": Field(read="Endpoint.Port"),
        "preferredMaintenanceWindow": Field(convert=LOWER),
        "promotionTier": Field(default=0),
    },
    force_new=("availabilityZone", "clusterIdentifier", "engine", "identifier", "identifierPrefix"),
    local=("applyImmediately", "certificateRotationRestart"),
    prepare=lambda inputs: {"engine": "docdb", **inputs},
    created=AVAILABLE,
    updated=AVAILABLE,
    deleted=DELETED,
    check=(conflicts("identifier", "identifierPrefix"),),
)
