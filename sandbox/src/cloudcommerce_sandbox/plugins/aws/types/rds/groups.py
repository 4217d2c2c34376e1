"""Subnet groups and parameter groups of the services behind the RDS API."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Properties
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
    TagStyle,
)
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags
from cloudcommerce_sandbox.plugins.aws.types.rds.parameters import ParameterApi

MANAGED = "Managed by Pulumi"
"""Description of a group whose program gives none."""


def describe(inputs: Properties) -> Properties:
    """Give a group that has none the description that the API insists on."""
    return {"description": MANAGED, **inputs}


def database_subnet_group(pulumi_type: str, service: str, docs: str) -> ResourceType:
    """Declare the subnet group type of a service that shares the RDS API.

    Args:
        pulumi_type: Pulumi type token.
        service: botocore service.
        docs: Page the facts come from.
    """
    group = {"DBSubnetGroupName": "{id}"}
    return ResourceType(
        pulumi_type=pulumi_type,
        service=service,
        docs=docs,
        id=Id(template="{name}"),
        create=(Call("create_db_subnet_group", item="DBSubnetGroup"),),
        read=Read("describe_db_subnet_groups", set=group, item="DBSubnetGroups[0]"),
        update=(
            Call("modify_db_subnet_group", set=group, on=("description", "subnetIds"), props=("subnetIds",)),
        ),
        delete=(Call("delete_db_subnet_group", set=group),),
        name=Name(prefix="namePrefix", lower=True, allowed="a-z0-9 ._-"),
        tags=rds_tags(),
        fields={
            "name": Field("DBSubnetGroupName"),
            "description": Field("DBSubnetGroupDescription", default=MANAGED),
            "subnetIds": Field(read="Subnets[].SubnetIdentifier"),
            "arn": Field("DBSubnetGroupArn"),
        },
        force_new=("name", "namePrefix"),
        prepare=describe,
        check=(conflicts("name", "namePrefix"),),
    )


def parameter_group(
    pulumi_type: str,
    service: str,
    docs: str,
    *,
    api: ParameterApi,
    tags: TagStyle,
    prefix: str = "namePrefix",
    has_skip: bool = False,
) -> ResourceType:
    """Declare the parameter group type of a service.

    Args:
        pulumi_type: Pulumi type token.
        service: botocore service.
        docs: Page the facts come from.
        api: The service's spelling of the operations.
        tags: The service's way with tags.
        prefix: Property that gives the beginning of the name; "": there is none.
        has_skip: Whether the type has the property `skipDestroy`.
    """
    parameters = Run(api.put, on=("parameters",))
    return ResourceType(
        pulumi_type=pulumi_type,
        service=service,
        docs=docs,
        id=Id(template="{name}"),
        create=(Call(api.create, item=api.group_item.removesuffix("s[0]")), parameters),
        read=Read(function=api.read),
        update=(parameters,),
        delete=(
            Call(
                api.delete,
                set={api.group_member: "{id}"},
                when=lambda context: not context.inputs.get("skipDestroy"),
            ),
        ),
        name=Name(prefix=prefix, lower=True, allowed="a-z0-9-"),
        tags=tags,
        fields={
            "name": Field(api.group_member),
            "family": Field(api.family_member),
            "description": Field(default=MANAGED),
            "parameters": Field(read="Parameters", convert=api.convert),
            "arn": Field(api.arn_member),
        },
        force_new=("name", *((prefix,) if prefix else ()), "family", "description"),
        check=(conflicts("name", prefix),) if prefix else (),
        local=("skipDestroy",) if has_skip else (),
        prepare=describe,
        # A group is in use until what had it has really gone.
        delete_retry=("InvalidDBParameterGroupState", "InvalidCacheParameterGroupState"),
    )


_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"

SUBNET_GROUP = database_subnet_group("aws:rds/subnetGroup:SubnetGroup", "rds", f"{_DOCS}/db_subnet_group")

PARAMETER_GROUP = parameter_group(
    "aws:rds/parameterGroup:ParameterGroup",
    "rds",
    f"{_DOCS}/db_parameter_group",
    api=ParameterApi(
        create="create_db_parameter_group",
        delete="delete_db_parameter_group",
        find_group="describe_db_parameter_groups",
        group_item="DBParameterGroups[0]",
        describe="describe_db_parameters",
        modify="modify_db_parameter_group",
        reset="reset_db_parameter_group",
        group_member="DBParameterGroupName",
        family_member="DBParameterGroupFamily",
        arn_member="DBParameterGroupArn",
        apply_method="immediate",
    ),
    tags=rds_tags(),
    has_skip=True,
)
