"""Subnet groups and parameter groups of ElastiCache."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.conversions import LOWER
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType
from cloudcommerce_sandbox.plugins.aws.tagging import ELASTICACHE_TAGS
from cloudcommerce_sandbox.plugins.aws.types.rds.groups import MANAGED, describe, parameter_group
from cloudcommerce_sandbox.plugins.aws.types.rds.parameters import ParameterApi

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_GROUP = {"CacheSubnetGroupName": "{id}"}

SUBNET_GROUP = ResourceType(
    pulumi_type="aws:elasticache/subnetGroup:SubnetGroup",
    service="elasticache",
    docs=f"{_DOCS}/elasticache_subnet_group",
    id=Id(response="CacheSubnetGroup.CacheSubnetGroupName"),
    create=(Call("create_cache_subnet_group", item="CacheSubnetGroup"),),
    read=Read("describe_cache_subnet_groups", set=_GROUP, item="CacheSubnetGroups[0]"),
    update=(Call("modify_cache_subnet_group", set=_GROUP),),
    delete=(Call("delete_cache_subnet_group", set=_GROUP),),
    name=Name(lower=True, allowed="a-z0-9-"),
    tags=ELASTICACHE_TAGS,
    fields={
        "name": Field("CacheSubnetGroupName", convert=LOWER),
        "description": Field("CacheSubnetGroupDescription", default=MANAGED),
        "subnetIds": Field(read="Subnets[].SubnetIdentifier"),
    },
    force_new=("name",),
    prepare=describe,
    # A group is in use until what had it has really gone.
    delete_retry=("CacheSubnetGroupInUse", "DependencyViolation"),
)

PARAMETER_GROUP = parameter_group(
    "aws:elasticache/parameterGroup:ParameterGroup",
    "elasticache",
    f"{_DOCS}/elasticache_parameter_group",
    api=ParameterApi(
        create="create_cache_parameter_group",
        delete="delete_cache_parameter_group",
        find_group="describe_cache_parameter_groups",
        group_item="CacheParameterGroups[0]",
        describe="describe_cache_parameters",
        modify="modify_cache_parameter_group",
        reset="reset_cache_parameter_group",
        group_member="CacheParameterGroupName",
        family_member="CacheParameterGroupFamily",
        arn_member="ARN",
        entries_member="ParameterNameValues",
    ),
    tags=ELASTICACHE_TAGS,
    prefix="",
)
