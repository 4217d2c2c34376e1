"""ElastiCache replication groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import LOWER, ORDERED, VERSION_PREFIX, Convert
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
from cloudcommerce_sandbox.plugins.aws.tagging import ELASTICACHE_TAGS

_AVAILABLE = Wait("Status", until=("available",), failed=("create-failed",), timeout=3600.0)
_GROUP = {"ReplicationGroupId": "{id}"}
# Destination type to where its name stands in the API's details:
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DestinationDetails.html
_DESTINATIONS = {
    "cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"),
    "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream"),
}

_LOG_PROPERTIES = ("destination", "destinationType", "logFormat", "logType")


def _find(context: Context) -> Mapping[str, Any] | None:
    """Find the group; what only its nodes tell (versions, windows, security groups) comes as `Node`."""
    group = context.find("describe_replication_groups", "ReplicationGroups[0]", ReplicationGroupId=context.id)
    if group is None:
        return None
    members = group.get("MemberClusters") or ()
    node = members and context.find(
        "describe_cache_clusters", "CacheClusters[0]", CacheClusterId=members[0], ShowCacheNodeInfo=True
    )
    return {**group, "Node": node} if node else group


def _switched(status: Any) -> bool:
    return status in ("enabled", "enabling", True)


def _log_to_api(delivery: Properties) -> dict[str, Any]:
    details, name = _DESTINATIONS.get(delivery["destinationType"], _DESTINATIONS["cloudwatch-logs"])
    return {
        "LogType": delivery["logType"],
        "LogFormat": delivery["logFormat"],
        "DestinationType": delivery["destinationType"],
        "DestinationDetails": {details: {name: delivery["destination"]}},
    }


def _log_from_api(delivery: Mapping[str, Any]) -> Properties:
    details, name = _DESTINATIONS[delivery["DestinationType"]]
    return {
        "destination": delivery["DestinationDetails"][details][name],
        "destinationType": delivery["DestinationType"],
        "logFormat": delivery["LogFormat"],
        "logType": delivery["LogType"],
    }


def _logs_by_type(deliveries: Sequence[Properties] | None) -> dict[str, Properties]:
    return {
        delivery["logType"]: {name: delivery.get(name) for name in _LOG_PROPERTIES}
        for delivery in deliveries or ()
    }


_LOG_DELIVERIES = Convert(
    send=lambda deliveries: [_log_to_api(delivery) for delivery in deliveries],
    read=lambda deliveries: [_log_from_api(delivery) for delivery in deliveries],
    equal=lambda left, right: _logs_by_type(left) == _logs_by_type(right),
)
_SWITCH = Convert(read=_switched)
_REPLICAS = Convert(read=lambda members: len(members) - 1)


def _modify(context: Context, **members: Any) -> None:
    context.call(
        "modify_replication_group",
        ReplicationGroupId=context.id,
        ApplyImmediately=bool(context.inputs.get("applyImmediately")),
        **members,
    )


def _deliver_logs(context: Context) -> None:
    wanted = _logs_by_type(context.inputs.get("logDeliveryConfigurations"))
    before = _logs_by_type(context.old_inputs.get("logDeliveryConfigurations"))
    ended = [{"LogType": kind, "Enabled": False} for kind in before if kind not in wanted]
    _modify(context, LogDeliveryConfigurations=[*map(_log_to_api, wanted.values()), *ended])


def _keep_snapshots(context: Context) -> None:
    days = context.inputs.get("snapshotRetentionLimit") or 0
    first = (
        {}
        if context.old_inputs.get("snapshotRetentionLimit")
        else {"SnapshottingClusterId": f"{context.id}-001"}
    )
    _modify(context, SnapshotRetentionLimit=days, **first)


def _change_user_groups(context: Context) -> None:
    wanted = set(context.inputs.get("userGroupIds") or ())
    before = set(context.old_inputs.get("userGroupIds") or ())
    changes = {"UserGroupIdsToAdd": sorted(wanted - before), "UserGroupIdsToRemove": sorted(before - wanted)}
    _modify(context, **{member: groups for member, groups in changes.items() if groups})


def _change_replicas(context: Context) -> None:
    wanted, before = _replicas(context.inputs), _replicas(context.state)
    if wanted is None or wanted == before:
        return
    operation = "increase_replica_count" if before is None or wanted > before else "decrease_replica_count"
    context.call(operation, ReplicationGroupId=context.id, NewReplicaCount=wanted, ApplyImmediately=True)


def _replicas(properties: Properties) -> int | None:
    if (nodes := properties.get("numCacheClusters")) is not None:
        return int(nodes) - 1
    replicas = properties.get("replicasPerNodeGroup")
    return None if replicas is None else int(replicas)


def _change_shards(context: Context) -> None:
    wanted = context.inputs["numNodeGroups"]
    shards = context.find(
        "describe_replication_groups",
        "ReplicationGroups[0].NodeGroups[].NodeGroupId | sort(@)",
        ReplicationGroupId=context.id,
    )
    surplus = {"NodeGroupsToRemove": shards[wanted:]} if len(shards) > wanted else {}
    context.call(
        "modify_replication_group_shard_configuration",
        ReplicationGroupId=context.id,
        NodeGroupCount=wanted,
        ApplyImmediately=True,
        **surplus,
    )


def _replace_token(context: Context) -> None:
    strategy = context.inputs.get("authTokenUpdateStrategy")
    context.call(
        "modify_replication_group",
        ReplicationGroupId=context.id,
        ApplyImmediately=True,
        AuthToken=context.inputs["authToken"],
        **({"AuthTokenUpdateStrategy": strategy} if strategy else {}),
    )


REPLICATION_GROUP = ResourceType(
    pulumi_type="aws:elasticache/replicationGroup:ReplicationGroup",
    service="elasticache",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_replication_group",
    id=Id(response="ReplicationGroup.ReplicationGroupId"),
    create=(Call("create_replication_group", item="ReplicationGroup"),),
    read=Read(function=_find),
    # In the order that Terraform's provider keeps: shards and replicas first, then settings.
    update=(
        Run(_change_shards, on=("numNodeGroups",), wait=_AVAILABLE),
        # The zones count for new nodes only.
        Run(
            _change_replicas,
            on=("numCacheClusters", "preferredCacheClusterAzs", "replicasPerNodeGroup"),
            wait=_AVAILABLE,
        ),
        Call(
            "modify_replication_group",
            set={**_GROUP, "ApplyImmediately": "{applyImmediately}"},
            # A new engine version is understood together with its engine.
            props=("engine",),
            omit=("authToken", "logDeliveryConfigurations", "snapshotRetentionLimit", "userGroupIds"),
            wait=_AVAILABLE,
        ),
        Run(_deliver_logs, on=("logDeliveryConfigurations",), wait=_AVAILABLE),
        Run(_keep_snapshots, on=("snapshotRetentionLimit",), wait=_AVAILABLE),
        Run(_change_user_groups, on=("userGroupIds",), wait=_AVAILABLE),
        Run(_replace_token, on=("authToken",), when=lambda context: bool(context.inputs.get("authToken"))),
    ),
    delete=(
        Call(
            "delete_replication_group", set={**_GROUP, "FinalSnapshotIdentifier": "{finalSnapshotIdentifier}"}
        ),
    ),
    name=Name("replicationGroupId", max_length=40, lower=True, allowed="a-z0-9-"),
    tags=ELASTICACHE_TAGS,
    fields={
        "authToken": Field(write_only=True, secret=True),
        "automaticFailoverEnabled": Field(read="AutomaticFailover", convert=_SWITCH, default=False),
        "configurationEndpointAddress": Field(read="ConfigurationEndpoint.Address"),
        "dataTieringEnabled": Field(read="DataTiering", convert=_SWITCH),
        "description": Field("ReplicationGroupDescription", read="Description"),
        "engineVersion": Field("EngineVersion", read="Node.EngineVersion", convert=VERSION_PREFIX),
        "engineVersionActual": Field(read="Node.EngineVersion"),
        "globalReplicationGroupId": Field(
            "GlobalReplicationGroupId", read="GlobalReplicationGroupInfo.GlobalReplicationGroupId"
        ),
        "logDeliveryConfigurations": Field("LogDeliveryConfigurations", convert=_LOG_DELIVERIES, absent=[]),
        "maintenanceWindow": Field(
            "PreferredMaintenanceWindow", read="Node.PreferredMaintenanceWindow", convert=LOWER
        ),
        "multiAzEnabled": Field("MultiAZEnabled", read="MultiAZ", convert=_SWITCH, default=False),
        "nodeType": Field("CacheNodeType"),
        "notificationTopicArn": Field("NotificationTopicArn", read="Node.NotificationConfiguration.TopicArn"),
        "numCacheClusters": Field("NumCacheClusters", read="length(MemberClusters)"),
        "numNodeGroups": Field("NumNodeGroups", read="length(NodeGroups)"),
        "parameterGroupName": Field(
            "CacheParameterGroupName", read="Node.CacheParameterGroup.CacheParameterGroupName"
        ),
        "port": Field("Port", read="ConfigurationEndpoint.Port || NodeGroups[0].PrimaryEndpoint.Port"),
        "preferredCacheClusterAzs": Field(write_only=True, convert=ORDERED),
        "primaryEndpointAddress": Field(read="NodeGroups[0].PrimaryEndpoint.Address"),
        "readerEndpointAddress": Field(read="NodeGroups[0].ReaderEndpoint.Address"),
        "replicasPerNodeGroup": Field(
            "ReplicasPerNodeGroup", read="NodeGroups[0].NodeGroupMembers", convert=_REPLICAS
        ),
        "replicationGroupId": Field(convert=LOWER),
        "securityGroupIds": Field("SecurityGroupIds", read="Node.SecurityGroups[].SecurityGroupId"),
        "snapshotArns": Field(write_only=True),
        "snapshotName": Field(write_only=True),
        "snapshotRetentionLimit": Field(default=0),
        "subnetGroupName": Field("CacheSubnetGroupName", read="Node.CacheSubnetGroupName"),
        "userGroupIds": Field(absent=[]),
    },
    force_new=(
        "atRestEncryptionEnabled",
        "dataTieringEnabled",
        "globalReplicationGroupId",
        "kmsKeyId",
        "networkType",
        "port",
        "replicationGroupId",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    ),
    local=("applyImmediately", "authTokenUpdateStrategy", "finalSnapshotIdentifier"),
    unsupported={
        "authTokenWo": "write-only arguments: authToken is a secret in state",
        "authTokenWoVersion": "write-only arguments: authToken is a secret in state",
        "nodeGroupConfigurations": "shards that differ from one another",
        "securityGroupNames": "cache security groups, which exist outside VPCs only",
    },
    no_output=("nodeGroupConfigurations", "securityGroupNames"),
    created=_AVAILABLE,
    updated=_AVAILABLE,
    deleted=Wait("Status", until=("deleted",), timeout=2700.0),
    check=(
        conflicts("authToken", "userGroupIds"),
        conflicts("numCacheClusters", "numNodeGroups"),
        conflicts("numCacheClusters", "replicasPerNodeGroup"),
    ),
    # A node is being made or removed, or a snapshot is taken.
    delete_retry=("InvalidReplicationGroupState",),
)
