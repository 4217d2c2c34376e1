"""Replication groups with as many members, zones and endpoints as were asked for."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.utils import utcnow
from moto.elasticache import models

from cloudcommerce_sandbox.emulator import catalog

# Constructor arguments of moto's class that CreateReplicationGroup may leave out.
_ARGUMENTS = [
    "preferred_cache_cluster_azs",
    "num_cache_clusters",
    "num_node_groups",
    "replicas_per_node_group",
    "node_group_configuration",
    "preferred_maintenance_window",
    "replication_group_description",
    "primary_cluster_id",
    "automatic_failover_enabled",
    "global_replication_group_id",
    "multi_az_enabled",
    "port",
    "snapshot_retention_limit",
    "snapshot_window",
    "cluster_mode",
    "cache_node_type",
    "auth_token",
    "transit_encryption_enabled",
    "at_rest_encryption_enabled",
    "kms_key_id",
    "user_group_ids",
    "log_delivery_configurations",
    "data_tiering_enabled",
    "auto_minor_version_upgrade",
    "engine",
    "network_type",
    "ip_discovery",
    "transit_encryption_mode",
    "cache_security_group_names",
    "cache_subnet_group_name",
    "security_group_ids",
    "tags",
    "notification_topic_arn",
    "serverless_cache_snapshot_name",
    "cache_parameter_group_name",
    "engine_version",
    "snapshot_arns",
    "snapshot_name",
]
_PLAIN_CHANGES = [
    "cache_node_type",
    "preferred_maintenance_window",
    "notification_topic_arn",
    "cache_parameter_group_name",
    "engine",
    "auto_minor_version_upgrade",
    "snapshot_retention_limit",
    "snapshot_window",
    "transit_encryption_mode",
    "transit_encryption_enabled",
    "ip_discovery",
    "security_group_ids",
]
_DEFAULT_SNAPSHOT_WINDOW = "05:00-06:00"
_DEFAULT_MAINTENANCE_WINDOW = "sun:07:00-sun:08:00"


class ReplicationGroup(models.ReplicationGroup):
    """A replication group.

    Args:
        account_id: account.
        region_name: region.
        zones: zones of its subnet group, over which members without a preference are spread.
        settings: parameters of CreateReplicationGroup in snake case.
    """

    def __init__(
        self, account_id: str, region_name: str, zones: Sequence[str], settings: Mapping[str, Any]
    ) -> None:
        arguments: dict[str, Any] = {name: settings.get(name) for name in _ARGUMENTS}
        version = catalog.resolve(settings.get("engine") or "redis", settings.get("engine_version"))
        if version:
            arguments["engine_version"] = version.version
        if settings.get("cluster_mode") != "enabled":
            count = settings.get("num_cache_clusters") or 1 + (settings.get("replicas_per_node_group") or 0)
            preferred = list(settings.get("preferred_cache_cluster_a_zs") or ())
            spread = [zones[number % len(zones)] for number in range(count)]
            arguments["preferred_cache_cluster_azs"] = preferred + spread[len(preferred) :]
            arguments["replicas_per_node_group"] = count - 1
        super().__init__(
            account_id=account_id,
            region_name=region_name,
            replication_group_id=settings["replication_group_id"],
            **arguments,
        )
        self.zones = list(zones)
        for group in self.node_groups:
            if "reader_endpoint_address" in group:
                address = {"address": group["reader_endpoint_address"], "port": self.port}
                group["reader_endpoint"] = address
        self.snapshot_window = settings.get("snapshot_window") or _DEFAULT_SNAPSHOT_WINDOW
        self.preferred_maintenance_window = (
            settings.get("preferred_maintenance_window") or _DEFAULT_MAINTENANCE_WINDOW
        )
        # A Valkey group is encrypted in both places unless told otherwise:
        # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
        if self.engine == "valkey":
            self.at_rest_encryption_enabled = settings.get("at_rest_encryption_enabled") is not False
            self.transit_encryption_enabled = settings.get("transit_encryption_enabled") is not False
        if self.transit_encryption_enabled and not self.transit_encryption_mode:
            self.transit_encryption_mode = "required"
        self.auto_minor_version_upgrade = settings.get("auto_minor_version_upgrade") is not False
        if not self.cache_parameter_group_name and version:
            self.cache_parameter_group_name = f"default.{version.family}"

    def change(self, settings: Mapping[str, Any]) -> None:
        """Applies the parameters of ModifyReplicationGroup in snake case; what is left out stays."""
        for name in _PLAIN_CHANGES:
            if settings.get(name) is not None:
                setattr(self, name, settings[name])
        if settings.get("replication_group_description") is not None:
            self.description = settings["replication_group_description"]
        if settings.get("automatic_failover_enabled") is not None:
            self.automatic_failover = "enabled" if settings["automatic_failover_enabled"] else "disabled"
        if settings.get("multi_az_enabled") is not None:
            self.multi_az = "enabled" if settings["multi_az_enabled"] else "disabled"
        self._change_engine(settings)
        self._change_access(settings)
        if settings.get("log_delivery_configurations") is not None:
            self._change_log_delivery(settings["log_delivery_configurations"])

    def _change_engine(self, settings: Mapping[str, Any]) -> None:
        if settings.get("engine") or settings.get("engine_version"):
            version = catalog.resolve(self.engine, settings.get("engine_version") or self.engine_version)
            self.engine_version = version.version if version else settings.get("engine_version")

    def _change_access(self, settings: Mapping[str, Any]) -> None:
        kept = [] if settings.get("remove_user_groups") else self.user_group_ids
        removed = settings.get("user_group_ids_to_remove") or ()
        added = settings.get("user_group_ids_to_add") or ()
        self.user_group_ids = list(dict.fromkeys([*(g for g in kept if g not in removed), *added]))
        if settings.get("auth_token") is not None or settings.get("auth_token_update_strategy") == "DELETE":
            self.auth_token_enabled = settings.get("auth_token_update_strategy") != "DELETE"
            self.auth_token_last_modified_date = utcnow()

    def _change_log_delivery(self, requests: Sequence[Mapping[str, Any]]) -> None:
        current = {entry["LogType"]: entry for entry in self.log_delivery_configurations}
        for request in requests:
            current.pop(request["LogType"], None)
            if request.get("Enabled") is not False:
                current[request["LogType"]] = dict(request)
        self.log_delivery_configurations = self._get_log_delivery_configurations(list(current.values()))

    def resize(self, replicas: int) -> None:
        """Gives every node group this many replicas, newest members leaving first."""
        for group in self.node_groups:
            members = group["node_group_members"]
            while len(members) > replicas + 1:
                self.member_clusters.remove(members.pop()["cache_cluster_id"])
            while len(members) < replicas + 1:
                members.append(self._another(members))
                self.member_clusters.append(members[-1]["cache_cluster_id"])

    def _another(self, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        stem = members[0]["cache_cluster_id"].rpartition("-")[0]
        member = copy.deepcopy(dict(members[0]))
        member["cache_cluster_id"] = f"{stem}-{len(members) + 1:03}"
        taken = [sibling["preferred_availability_zone"] for sibling in members]
        member["preferred_availability_zone"] = min(self.zones, key=taken.count)
        if "read_endpoint" in member:
            old = members[0]["cache_cluster_id"]
            member["current_role"] = "replica"
            address = member["read_endpoint"]["address"]
            member["read_endpoint"]["address"] = address.replace(old, member["cache_cluster_id"], 1)
        return member

    def cache_clusters(self) -> list[dict[str, Any]]:
        """Returns the members as DescribeCacheClusters shows them."""
        return [
            self._cache_cluster(member)
            for group in self.node_groups
            for member in group["node_group_members"]
        ]

    def _cache_cluster(self, member: Mapping[str, Any]) -> dict[str, Any]:
        identifier = member["cache_cluster_id"]
        zone = member["preferred_availability_zone"]
        topic = self.notification_topic_arn
        return {
            "CacheClusterId": identifier,
            "ARN": self.arn.replace(f"replicationgroup:{self.replication_group_id}", f"cluster:{identifier}"),
            "ReplicationGroupId": self.replication_group_id,
            "CacheNodeType": self.cache_node_type,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "CacheClusterStatus": "available",
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": zone,
            "PreferredMaintenanceWindow": self.preferred_maintenance_window,
            "CacheClusterCreateTime": self.replication_group_create_time,
            "CacheSubnetGroupName": self.cache_subnet_group_name,
            "CacheParameterGroup": {
                "CacheParameterGroupName": self.cache_parameter_group_name,
                "ParameterApplyStatus": "in-sync",
            },
            "SecurityGroups": [
                {"SecurityGroupId": group, "Status": "active"} for group in self.security_group_ids or ()
            ],
            "NotificationConfiguration": {"TopicArn": topic, "TopicStatus": "active"} if topic else None,
            "SnapshotRetentionLimit": self.snapshot_retention_limit,
            "SnapshotWindow": self.snapshot_window,
            "AutoMinorVersionUpgrade": self.auto_minor_version_upgrade,
            "TransitEncryptionEnabled": self.transit_encryption_enabled,
            "TransitEncryptionMode": self.transit_encryption_mode,
            "AtRestEncryptionEnabled": self.at_rest_encryption_enabled,
            "AuthTokenEnabled": self.auth_token_enabled,
            "LogDeliveryConfigurations": self.log_delivery_configurations,
            "NetworkType": self.network_type,
            "IpDiscovery": self.ip_discovery,
            "CacheNodes": [
                {
                    "CacheNodeId": "0001",
                    "CacheNodeStatus": "available",
                    "CustomerAvailabilityZone": zone,
                    "ParameterGroupStatus": "in-sync",
                    "Endpoint": member.get("read_endpoint"),
                }
            ],
        }
