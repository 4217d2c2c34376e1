"""ElastiCache operations: corrections of moto's and what it lacks."""

from __future__ import annotations

from typing import Any, cast

from botocore import xform_name
from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache import responses
from moto.elasticache.models import elasticache_backends

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.extensions.elasticache.models import ElastiCacheBackend

_ENGINES = ("memcached", "redis", "valkey")


class ElastiCacheResponse(responses.ElastiCacheResponse):
    """moto's ElastiCache operations with ours."""

    @property
    def elasticache_backend(self) -> ElastiCacheBackend:
        """Backend of the caller's account and region."""
        return cast("ElastiCacheBackend", elasticache_backends[self.current_account][self.region])

    def _settings(self) -> dict[str, Any]:
        return {xform_name(name): value for name, value in self._get_params().items()}

    def create_replication_group(self) -> ActionResult:
        """Creates a replication group with all its members."""
        return ActionResult(
            {"ReplicationGroup": self.elasticache_backend.create_replication(self._settings())}
        )

    def modify_replication_group(self) -> ActionResult:
        """Modifies a replication group."""
        return ActionResult(
            {"ReplicationGroup": self.elasticache_backend.change_replication(self._settings())}
        )

    def increase_replica_count(self) -> ActionResult:
        """Adds replicas."""
        return self._resize()

    def decrease_replica_count(self) -> ActionResult:
        """Removes replicas."""
        return self._resize()

    def _resize(self) -> ActionResult:
        group = self.elasticache_backend.resize_replication(
            self._get_param("ReplicationGroupId"), self._get_param("NewReplicaCount")
        )
        return ActionResult({"ReplicationGroup": group})

    def delete_replication_group(self) -> ActionResult:
        """Deletes a replication group."""
        group = self.elasticache_backend.delete_replication(
            self._get_param("ReplicationGroupId"), self._get_param("FinalSnapshotIdentifier")
        )
        return ActionResult({"ReplicationGroup": group})

    def describe_cache_clusters(self) -> ActionResult:
        """Lists cache clusters, the members of replication groups among them."""
        clusters = self.elasticache_backend.list_cache_clusters(self._get_param("CacheClusterId"))
        return ActionResult({"CacheClusters": clusters})

    def describe_cache_engine_versions(self) -> ActionResult:
        """Lists the versions that can be created."""
        asked = self._get_param("Engine")
        wanted = self._get_param("EngineVersion")
        versions = [
            {"Engine": v.engine, "EngineVersion": v.version, "CacheParameterGroupFamily": v.family}
            for engine in ([asked] if asked else _ENGINES)
            for v in catalog.engine_versions(engine)
            if wanted in (None, v.version) and (v.is_default or not self._get_bool_param("DefaultOnly"))
        ]
        return ActionResult({"CacheEngineVersions": versions})

    def modify_cache_subnet_group(self) -> ActionResult:
        """Modifies a subnet group."""
        group = self.elasticache_backend.modify_cache_subnet_group(
            self._get_param("CacheSubnetGroupName"),
            self._get_param("CacheSubnetGroupDescription"),
            self._get_param("SubnetIds"),
        )
        return ActionResult({"CacheSubnetGroup": group})

    def delete_cache_subnet_group(self) -> ActionResult:
        """Deletes a subnet group."""
        self.elasticache_backend.delete_cache_subnet_group(self._get_param("CacheSubnetGroupName"))
        return EmptyResult()

    def create_cache_parameter_group(self) -> ActionResult:
        """Creates a parameter group."""
        group = self.elasticache_backend.create_cache_parameter_group(
            self._get_param("CacheParameterGroupName"),
            self._get_param("CacheParameterGroupFamily"),
            self._get_param("Description"),
            self._get_param("Tags", []),
        )
        return ActionResult({"CacheParameterGroup": group})

    def describe_cache_parameter_groups(self) -> ActionResult:
        """Lists parameter groups."""
        name = self._get_param("CacheParameterGroupName")
        groups = self.elasticache_backend.describe_cache_parameter_groups(name)
        return ActionResult({"CacheParameterGroups": groups})

    def describe_cache_parameters(self) -> ActionResult:
        """Lists the parameters of a group."""
        parameters = self.elasticache_backend.describe_cache_parameters(
            self._get_param("CacheParameterGroupName"), self._get_param("Source")
        )
        return ActionResult({"Parameters": parameters})

    def modify_cache_parameter_group(self) -> ActionResult:
        """Sets parameters of a group."""
        name = self._get_param("CacheParameterGroupName")
        self.elasticache_backend.modify_cache_parameter_group(
            name, self._get_param("ParameterNameValues", [])
        )
        return ActionResult({"CacheParameterGroupName": name})

    def reset_cache_parameter_group(self) -> ActionResult:
        """Takes back what a user set."""
        name = self._get_param("CacheParameterGroupName")
        self.elasticache_backend.reset_cache_parameter_group(
            name,
            bool(self._get_bool_param("ResetAllParameters")),
            self._get_param("ParameterNameValues", []),
        )
        return ActionResult({"CacheParameterGroupName": name})

    def delete_cache_parameter_group(self) -> ActionResult:
        """Deletes a parameter group."""
        self.elasticache_backend.delete_cache_parameter_group(self._get_param("CacheParameterGroupName"))
        return EmptyResult()

    def modify_user(self) -> ActionResult:
        """Modifies a user."""
        return ActionResult(self.elasticache_backend.modify_user(self._get_param("UserId"), self._settings()))

    def create_user_group(self) -> ActionResult:
        """Creates a user group."""
        group = self.elasticache_backend.create_user_group(
            self._get_param("UserGroupId"),
            self._get_param("Engine").lower(),
            self._get_param("UserIds", []),
            self._get_param("Tags", []),
        )
        return ActionResult(group)

    def describe_user_groups(self) -> ActionResult:
        """Lists user groups."""
        groups = self.elasticache_backend.describe_user_groups(self._get_param("UserGroupId"))
        return ActionResult({"UserGroups": groups})

    def modify_user_group(self) -> ActionResult:
        """Modifies a user group."""
        group = self.elasticache_backend.modify_user_group(
            self._get_param("UserGroupId"),
            self._get_param("UserIdsToAdd", []),
            self._get_param("UserIdsToRemove", []),
        )
        return ActionResult(group)

    def delete_user_group(self) -> ActionResult:
        """Deletes a user group."""
        return ActionResult(self.elasticache_backend.delete_user_group(self._get_param("UserGroupId")))
