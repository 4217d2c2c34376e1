"""Parameter groups of instances and clusters: sources, apply types, reset, and refusal while in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from moto.rds import models
from moto.rds.exceptions import DBClusterParameterGroupNotFoundError, DBParameterGroupNotFoundError

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.wire import ApiError

Parameter = dict[str, Any]


def described_parameters(
    family: str, changed: Mapping[str, Parameter], source: str | None
) -> list[Parameter]:
    """Returns a group's parameters as RDS describes them; of the untouched ones only those in the catalog.

    Args:
        family: family of the group.
        changed: parameters that a user set, by name.
        source: `user`, `system` or `engine-default`; None for all.
    """
    static = catalog.static_parameters(family)
    parameters = []
    for name in sorted({*static, *changed}):
        origin = "user" if name in changed else "engine-default"
        if source in (None, origin):
            apply_type = "static" if name in static else "dynamic"
            described = {"ApplyType": apply_type, "IsModifiable": True, "Source": origin}
            parameters.append({"ParameterName": name, **described, **changed.get(name, {})})
    return parameters


def reset(changed: MutableMapping[str, Parameter], every: bool, named: Iterable[Mapping[str, Any]]) -> None:
    """Takes back a user's settings: all of them, or the named."""
    for name in list(changed) if every else [parameter["ParameterName"] for parameter in named]:
        changed.pop(name, None)


class ParameterGroupsMixin(models.RDSBackend):
    """Parameter groups of an RDS backend."""

    SERVICE_NAMESPACE = "rds"

    def describe_db_parameters(self, name: str, source: str | None) -> list[Parameter]:
        """Returns the parameters of an instance parameter group."""
        group = self._parameter_group(name)
        return described_parameters(str(group.family), group.parameters, source)

    def reset_db_parameter_group(
        self, name: str, every: bool, named: Iterable[Mapping[str, Any]]
    ) -> models.DBParameterGroup:
        """Takes back what a user set in an instance parameter group."""
        group = self._parameter_group(name)
        reset(group.parameters, every, named)
        return group

    def delete_db_parameter_group(self, db_parameter_group_name: str) -> models.DBParameterGroup:
        """Deletes an instance parameter group that nothing uses.

        Raises:
            ApiError: InvalidDBParameterGroupState while an instance has it.
        """
        self._parameter_group(db_parameter_group_name)
        users = [i for i in self.databases.values() if i.db_parameter_group_name == db_parameter_group_name]
        _refuse_in_use(db_parameter_group_name, [i.db_instance_identifier for i in users])
        deleted: models.DBParameterGroup = super().delete_db_parameter_group(db_parameter_group_name)
        return deleted

    def describe_db_cluster_parameter_list(self, name: str, source: str | None) -> list[Parameter]:
        """Returns the parameters of a cluster parameter group; a default one has only its engine's."""
        if name.startswith("default."):
            return described_parameters(name.removeprefix("default."), {}, source)
        group = self._cluster_parameter_group(name)
        return described_parameters(group.db_parameter_group_family, group.parameters, source)

    def reset_db_cluster_parameter_group(
        self, name: str, every: bool, named: Iterable[Mapping[str, Any]]
    ) -> models.DBClusterParameterGroup:
        """Takes back what a user set in a cluster parameter group."""
        group = self._cluster_parameter_group(name)
        reset(group.parameters, every, named)
        return group

    def delete_db_cluster_parameter_group(self, db_cluster_parameter_group_name: str) -> None:
        """Deletes a cluster parameter group that nothing uses.

        Raises:
            ApiError: InvalidDBParameterGroupState while a cluster has it.
        """
        self._cluster_parameter_group(db_cluster_parameter_group_name)
        users = [c for c in self.clusters.values() if c.parameter_group == db_cluster_parameter_group_name]
        _refuse_in_use(db_cluster_parameter_group_name, [c.db_cluster_identifier for c in users])
        super().delete_db_cluster_parameter_group(db_cluster_parameter_group_name)

    def _parameter_group(self, name: str) -> models.DBParameterGroup:
        group = self.db_parameter_groups.get(name)
        if group is None:
            raise DBParameterGroupNotFoundError(name)
        return group

    def _cluster_parameter_group(self, name: str) -> models.DBClusterParameterGroup:
        group = self.db_cluster_parameter_groups.get(name)
        if group is None:
            raise DBClusterParameterGroupNotFoundError(name)
        return group


def _refuse_in_use(name: str, users: list[str]) -> None:
    if users:
        message = (
            f"One or more databases are still members of this parameter group {name}: {', '.join(users)}"
        )
        raise ApiError("InvalidDBParameterGroupState", message)
