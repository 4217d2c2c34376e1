"""Cache parameter groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.elasticache import models

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.wire import ApiError

_ENGINES = ("redis", "valkey", "memcached")


@dataclass
class CacheParameterGroup:
    """A parameter group and what a user set in it."""

    arn: str
    cache_parameter_group_name: str
    cache_parameter_group_family: str
    description: str
    is_global: bool = False
    parameters: dict[str, str] = field(default_factory=dict)


class ParameterGroupsMixin(models.ElastiCacheBackend):
    """Parameter groups of an ElastiCache backend."""

    SERVICE_NAMESPACE = "elasticache"
    cache_parameter_groups: dict[str, CacheParameterGroup]

    def _make_default_parameter_groups(self) -> None:
        self.cache_parameter_groups = {}
        for family in (family for engine in _ENGINES for family in catalog.families(engine)):
            for suffix in ("", ".cluster.on"):
                name = f"default.{family}{suffix}"
                self.cache_parameter_groups[name] = CacheParameterGroup(
                    self._parameter_group_arn(name), name, family, f"Default parameter group for {family}"
                )

    def _parameter_group_arn(self, name: str) -> str:
        return f"arn:aws:elasticache:{self.region_name}:{self.account_id}:parametergroup:{name}"

    def create_cache_parameter_group(
        self, name: str, family: str, description: str, tags: list[dict[str, str]]
    ) -> CacheParameterGroup:
        """Creates a parameter group.

        Raises:
            ApiError: CacheParameterGroupAlreadyExists.
        """
        if name in self.cache_parameter_groups:
            raise ApiError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists")
        group = CacheParameterGroup(self._parameter_group_arn(name), name, family, description)
        self.cache_parameter_groups[name] = group
        self.tagging_service.tag_resource(group.arn, tags)
        return group

    def describe_cache_parameter_groups(self, name: str | None) -> list[CacheParameterGroup]:
        """Returns one parameter group or all."""
        return [self.parameter_group(name)] if name else list(self.cache_parameter_groups.values())

    def describe_cache_parameters(self, name: str, source: str | None) -> list[dict[str, Any]]:
        """Returns the parameters that a user set in a group; the engine's own are not played.

        Args:
            name: name of the group.
            source: `user`, `system` or `engine-default`; None for all.
        """
        group = self.parameter_group(name)
        if source not in (None, "user"):
            return []
        return [
            {"ParameterName": parameter, "ParameterValue": value, "Source": "user", "IsModifiable": True}
            for parameter, value in sorted(group.parameters.items())
        ]

    def modify_cache_parameter_group(self, name: str, values: Sequence[Mapping[str, str]]) -> None:
        """Sets parameters of a group."""
        group = self._own_parameter_group(name)
        group.parameters.update({value["ParameterName"]: value["ParameterValue"] for value in values})

    def reset_cache_parameter_group(
        self, name: str, every: bool, values: Sequence[Mapping[str, str]]
    ) -> None:
        """Takes back what a user set: everything, or the named parameters."""
        group = self._own_parameter_group(name)
        for parameter in list(group.parameters) if every else [value["ParameterName"] for value in values]:
            group.parameters.pop(parameter, None)

    def delete_cache_parameter_group(self, name: str) -> None:
        """Deletes a parameter group that nothing uses.

        Raises:
            ApiError: InvalidCacheParameterGroupState while a replication group has it.
        """
        group = self._own_parameter_group(name)
        users = [g for g in self.replication_groups.values() if g.cache_parameter_group_name == name]
        if users:
            message = f"Cache parameter group {name} is in use by {users[0].replication_group_id}."
            raise ApiError("InvalidCacheParameterGroupState", message)
        del self.cache_parameter_groups[name]
        self.tagging_service.delete_all_tags_for_resource(group.arn)

    def parameter_group(self, name: str) -> CacheParameterGroup:
        """Returns a parameter group.

        Raises:
            ApiError: CacheParameterGroupNotFound.
        """
        if name not in self.cache_parameter_groups:
            raise ApiError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
        return self.cache_parameter_groups[name]

    def _own_parameter_group(self, name: str) -> CacheParameterGroup:
        if name.startswith("default."):
            raise ApiError("InvalidCacheParameterGroupState", f"The default group {name} cannot be changed.")
        return self.parameter_group(name)
