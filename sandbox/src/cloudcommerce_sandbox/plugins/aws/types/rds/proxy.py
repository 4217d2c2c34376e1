"""RDS Proxy with its default target group and targets."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.declaration import (
    EVERYTHING,
    Call,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_AVAILABLE = Wait(
    "Status", until=("available",), failed=("incompatible-network", "insufficient-resource-limits")
)

PROXY = ResourceType(
    pulumi_type="aws:rds/proxy:Proxy",
    service="rds",
    docs=f"{_DOCS}/db_proxy",
    id=Id(template="{name}"),
    create=(Call("create_db_proxy", item="DBProxy"),),
    read=Read("describe_db_proxies", set={"DBProxyName": "{id}"}, item="DBProxies[0]"),
    update=(
        Call(
            "modify_db_proxy",
            set={"DBProxyName": "{id}"},
            names={"vpcSecurityGroupIds": "SecurityGroups"},
        ),
    ),
    delete=(Call("delete_db_proxy", set={"DBProxyName": "{id}"}),),
    name=Name(max_length=63, allowed="a-zA-Z0-9-"),
    tags=rds_tags(),
    fields={
        "name": Field("DBProxyName"),
        "arn": Field("DBProxyArn"),
        "debugLogging": Field(default=False),
        "requireTls": Field(default=False),
    },
    # Terraform renames a proxy in place; its name is the id, though, and a Pulumi update cannot change an id.
    force_new=("name", "engineFamily", "vpcSubnetIds", "endpointNetworkType", "targetConnectionNetworkType"),
    created=_AVAILABLE,
    updated=_AVAILABLE,
    deleted=Wait("Status", until=("deleted",), timeout=3600.0),
)

_DEFAULT_GROUP = {"DBProxyName": "{dbProxyName}", "TargetGroupName": "default"}

PROXY_DEFAULT_TARGET_GROUP = ResourceType(
    pulumi_type="aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
    service="rds",
    docs=f"{_DOCS}/db_proxy_default_target_group",
    id=Id(template="{dbProxyName}"),
    # The group comes with its proxy and goes with it.
    create=(Call("modify_db_proxy_target_group", set=_DEFAULT_GROUP, item="DBProxyTargetGroup"),),
    read=Read(
        "describe_db_proxy_target_groups",
        set={"DBProxyName": "{id}"},
        item="TargetGroups[?IsDefault] | [0]",
    ),
    update=(Call("modify_db_proxy_target_group", set=_DEFAULT_GROUP, full=True),),
    delete=(),
    fields={
        "name": Field(read="TargetGroupName"),
        "arn": Field(read="TargetGroupArn"),
        "connectionPoolConfig.connectionBorrowTimeout": Field(default=120),
        "connectionPoolConfig.maxConnectionsPercent": Field(default=100),
        "connectionPoolConfig.maxIdleConnectionsPercent": Field(default=50),
    },
    force_new=("dbProxyName",),
    created=Wait("Status", until=("available",)),
    updated=Wait("Status", until=("available",)),
)

PROXY_TARGET = ResourceType(
    pulumi_type="aws:rds/proxyTarget:ProxyTarget",
    service="rds",
    docs=f"{_DOCS}/db_proxy_target",
    id=Id(template="{dbProxyName}/{targetGroupName}/{type}/{rdsResourceId}"),
    create=(
        Call(
            "register_db_proxy_targets",
            item="DBProxyTargets[0]",
            retry=("InvalidDBInstanceStateFault: CREATING",),
        ),
    ),
    read=Read(
        "describe_db_proxy_targets",
        set={"DBProxyName": "{dbProxyName}", "TargetGroupName": "{targetGroupName}"},
        item="Targets[?Type=='{type}' && RdsResourceId=='{rdsResourceId}'] | [0]",
    ),
    delete=(
        Call(
            "deregister_db_proxy_targets",
            set={
                "DBProxyName": "{dbProxyName}",
                "TargetGroupName": "{targetGroupName}",
                "DBInstanceIdentifiers": "{dbInstanceIdentifier}",
                "DBClusterIdentifiers": "{dbClusterIdentifier}",
            },
        ),
    ),
    fields={
        "dbInstanceIdentifier": Field(
            "DBInstanceIdentifiers", read="[@][?Type=='RDS_INSTANCE'].RdsResourceId | [0]"
        ),
        "dbClusterIdentifier": Field(
            "DBClusterIdentifiers", read="[@][?Type!='RDS_INSTANCE'].RdsResourceId | [0]"
        ),
    },
    force_new=EVERYTHING,
    check=(exactly_one("dbInstanceIdentifier", "dbClusterIdentifier"),),
)
