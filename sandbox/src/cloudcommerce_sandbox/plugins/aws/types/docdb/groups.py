"""Subnet groups and cluster parameter groups of DocumentDB."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags
from cloudcommerce_sandbox.plugins.aws.types.rds.groups import database_subnet_group, parameter_group
from cloudcommerce_sandbox.plugins.aws.types.rds.parameters import ParameterApi

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"

SUBNET_GROUP = database_subnet_group(
    "aws:docdb/subnetGroup:SubnetGroup", "docdb", f"{_DOCS}/docdb_subnet_group"
)

CLUSTER_PARAMETER_GROUP = parameter_group(
    "aws:docdb/clusterParameterGroup:ClusterParameterGroup",
    "docdb",
    f"{_DOCS}/docdb_cluster_parameter_group",
    api=ParameterApi(
        create="create_db_cluster_parameter_group",
        delete="delete_db_cluster_parameter_group",
        find_group="describe_db_cluster_parameter_groups",
        group_item="DBClusterParameterGroups[0]",
        describe="describe_db_cluster_parameters",
        modify="modify_db_cluster_parameter_group",
        reset="reset_db_cluster_parameter_group",
        group_member="DBClusterParameterGroupName",
        family_member="DBParameterGroupFamily",
        arn_member="DBClusterParameterGroupArn",
        apply_method="pending-reboot",
    ),
    tags=rds_tags(),
)
