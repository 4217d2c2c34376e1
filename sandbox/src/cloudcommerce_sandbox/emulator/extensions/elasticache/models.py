"""ElastiCache backend: corrections of moto's and what it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.ec2.models import ec2_backends
from moto.elasticache import models
from moto.elasticache.exceptions import (
    CacheClusterNotFound,
    InvalidSubnet,
    ReplicationGroupAlreadyExists,
    ReplicationGroupNotFound,
)

from cloudcommerce_sandbox.emulator.extensions.elasticache.access import AccessMixin, UserGroup
from cloudcommerce_sandbox.emulator.extensions.elasticache.parameters import ParameterGroupsMixin
from cloudcommerce_sandbox.emulator.extensions.elasticache.replication_groups import ReplicationGroup
from cloudcommerce_sandbox.emulator.wire import ApiError


class ElastiCacheBackend(AccessMixin, ParameterGroupsMixin, models.ElastiCacheBackend):
    """moto's ElastiCache backend with ours."""

    SERVICE_NAMESPACE = "elasticache"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.arn_regex = re.compile(r"^arn:aws:elasticache:[^:]*:\d*:[a-z]+:.+$")
        self.user_groups: dict[str, UserGroup] = {}
        self._make_default_parameter_groups()

    def create_replication(self, settings: Mapping[str, Any]) -> ReplicationGroup:
        """Creates a replication group of the parameters of CreateReplicationGroup in snake case.

        Raises:
            ReplicationGroupAlreadyExists: the identifier is taken.
            ApiError: a parameter, user or subnet group that does not exist.
        """
        identifier = settings["replication_group_id"]
        if identifier in self.replication_groups:
            raise ReplicationGroupAlreadyExists(identifier)
        if settings.get("cache_parameter_group_name"):
            self.parameter_group(settings["cache_parameter_group_name"])
        for group in settings.get("user_group_ids") or ():
            self._user_group(group)
        zones = self._zones(settings.get("cache_subnet_group_name"))
        created = ReplicationGroup(self.account_id, self.region_name, zones, settings)
        self.replication_groups[identifier] = created
        self.tagging_service.tag_resource(created.arn, settings.get("tags") or [])
        return created

    def _zones(self, subnet_group: str | None) -> list[str]:
        if not subnet_group:
            return [f"{self.region_name}{letter}" for letter in "abc"]
        group = self.describe_cache_subnet_groups(subnet_group)[0]
        return sorted({subnet["subnet_availability_zone"] for subnet in group.subnets})

    def change_replication(self, settings: Mapping[str, Any]) -> ReplicationGroup:
        """Changes a replication group by the parameters of ModifyReplicationGroup in snake case, at once."""
        group = self._replication_group(settings["replication_group_id"])
        if settings.get("cache_parameter_group_name"):
            self.parameter_group(settings["cache_parameter_group_name"])
        for user_group in settings.get("user_group_ids_to_add") or ():
            self._user_group(user_group)
        group.change(settings)
        return group

    def resize_replication(self, identifier: str, replicas: int) -> ReplicationGroup:
        """Gives a replication group this many replicas in every node group."""
        group = self._replication_group(identifier)
        group.resize(replicas)
        return group

    def delete_replication(self, identifier: str, final_snapshot: str | None) -> ReplicationGroup:
        """Deletes a replication group, after a last snapshot when one is named; its name is free at once."""
        group = self._replication_group(identifier)
        if final_snapshot:
            self.create_snapshot(
                snapshot_name=final_snapshot,
                replication_group_id=identifier,
                cache_cluster_id=None,
                kms_key_id=group.kms_key_id,
                tags=None,
            )
        del self.replication_groups[identifier]
        self.tagging_service.delete_all_tags_for_resource(group.arn)
        group.status = "deleting"
        return group

    def _replication_group(self, identifier: str) -> ReplicationGroup:
        group = self.replication_groups.get(identifier)
        if not isinstance(group, ReplicationGroup):
            raise ReplicationGroupNotFound(identifier)
        return group

    def list_cache_clusters(self, identifier: str | None) -> list[Any]:
        """Returns one cache cluster or all, the members of replication groups among them."""
        members = [
            member
            for group in self.replication_groups.values()
            if isinstance(group, ReplicationGroup)
            for member in group.cache_clusters()
        ]
        if identifier is None:
            return [*members, *self.cache_clusters.values()]
        found = [member for member in members if member["CacheClusterId"] == identifier]
        if found:
            return found
        standalone: list[Any] = self.describe_cache_clusters(identifier)
        return standalone

    def delete_cache_cluster(self, cache_cluster_id: str) -> models.CacheCluster:
        """Deletes a cluster that stands alone; its name is free at once."""
        if cache_cluster_id not in self.cache_clusters:
            raise CacheClusterNotFound(cache_cluster_id)
        cluster: models.CacheCluster = self.cache_clusters.pop(cache_cluster_id)
        cluster.cache_cluster_status = "deleting"
        return cluster

    def create_cache_subnet_group(
        self,
        cache_subnet_group_name: str,
        cache_subnet_group_description: str,
        subnet_ids: list[str],
        tags: list[dict[str, str]] | None,
    ) -> models.CacheSubnetGroup:
        """Creates a subnet group of subnets that exist."""
        self._require_subnets(subnet_ids)
        created: models.CacheSubnetGroup = super().create_cache_subnet_group(
            cache_subnet_group_name.lower(), cache_subnet_group_description, subnet_ids, tags
        )
        return created

    def modify_cache_subnet_group(
        self, name: str, description: str | None, subnet_ids: list[str] | None
    ) -> models.CacheSubnetGroup:
        """Changes a subnet group; what is left out stays."""
        group = self.describe_cache_subnet_groups(name)[0]
        self._require_subnets(subnet_ids or [])
        changed = models.CacheSubnetGroup(
            account_id=self.account_id,
            region_name=self.region_name,
            cache_subnet_group_name=name,
            cache_subnet_group_description=(
                group.cache_subnet_group_description if description is None else description
            ),
            subnet_ids=subnet_ids or group.subnet_ids,
            tags=group.tags,
        )
        self.cache_subnet_groups[name] = changed
        return changed

    def delete_cache_subnet_group(self, name: str) -> None:
        """Deletes a subnet group that nothing is in.

        Raises:
            ApiError: CacheSubnetGroupInUse.
        """
        group = self.describe_cache_subnet_groups(name)[0]
        if any(r.cache_subnet_group_name == name for r in self.replication_groups.values()):
            raise ApiError("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use.")
        del self.cache_subnet_groups[name]
        self.tagging_service.delete_all_tags_for_resource(group.arn)

    def _require_subnets(self, subnet_ids: list[str]) -> None:
        known = {
            subnet
            for zone in ec2_backends[self.account_id][self.region_name].subnets.values()
            for subnet in zone
        }
        for subnet_id in subnet_ids:
            if subnet_id not in known:
                raise InvalidSubnet(subnet_id)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields every ElastiCache resource that can be tagged, also those that moto does not have."""
        yield from super().iter_tagged_resources()
        own_groups = [g for n, g in self.cache_parameter_groups.items() if not n.startswith("default.")]
        for kind, resources in (
            ("usergroup", list(self.user_groups.values())),
            ("parametergroup", own_groups),
        ):
            for resource in resources:
                tags = self.tagging_service.get_tag_dict_for_resource(resource.arn)
                yield TaggedResource(resource.arn, tags, f"elasticache:{kind}")
