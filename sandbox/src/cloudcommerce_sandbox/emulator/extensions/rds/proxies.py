"""RDS Proxy: changes of a proxy, and targets that are real databases."""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.rds import models
from moto.rds.exceptions import DBClusterNotFoundError, DBInstanceNotFoundError, DBProxyNotFoundFault

from cloudcommerce_sandbox.emulator.wire import ApiError

_CHANGEABLE = {
    "auth": "auth",
    "require_tls": "require_tls",
    "idle_client_timeout": "idle_client_timeout",
    "debug_logging": "debug_logging",
    "role_arn": "role_arn",
    "security_groups": "vpc_security_group_ids",
}


class DBProxyTargetGroup(models.DBProxyTargetGroup):
    """A target group that remembers the statements run on each new connection."""

    init_query: str | None = None

    @property
    def connection_pool_config(self) -> dict[str, Any]:
        """How connections are pooled."""
        return {**super().connection_pool_config, "InitQuery": self.init_query}


class ProxiesMixin(models.RDSBackend):
    """Proxies of an RDS backend."""

    SERVICE_NAMESPACE = "rds"

    def modify_db_proxy(self, kwargs: dict[str, Any]) -> models.DBProxy:
        """Modifies a proxy; what is left out stays."""
        proxy = self._proxy(kwargs["db_proxy_name"])
        for name, attribute in _CHANGEABLE.items():
            if kwargs.get(name) is not None:
                setattr(proxy, attribute, kwargs[name])
        new_name = kwargs.get("new_db_proxy_name")
        if new_name:
            self.db_proxies[new_name] = self.db_proxies.pop(proxy.db_proxy_name)
            proxy.db_proxy_name = new_name
        proxy.updated_date = utcnow()
        return proxy

    def delete_db_proxy(self, proxy_name: str) -> models.DBProxy:
        """Deletes a proxy with its target group."""
        proxy = self._proxy(proxy_name)
        proxy.status = "deleting"
        return self.db_proxies.pop(proxy_name)

    def register_db_proxy_targets(
        self,
        db_proxy_name: str,
        target_group_name: str,
        db_cluster_identifiers: list[str],
        db_instance_identifiers: list[str],
    ) -> list[models.DBProxyTarget]:
        """Registers databases as targets.

        Raises:
            ApiError: DBProxyTargetAlreadyRegisteredFault.
            DBInstanceNotFoundError: no such instance.
            DBClusterNotFoundError: no such cluster.
        """
        group = self._target_group(db_proxy_name, target_group_name)
        registered = {target.rds_resource_id for target in group.targets}
        for identifier in (*db_cluster_identifiers, *db_instance_identifiers):
            if identifier in registered:
                message = f"{identifier} is already registered with proxy {db_proxy_name}."
                raise ApiError("DBProxyTargetAlreadyRegisteredFault", message)
        for identifier in db_cluster_identifiers:
            if identifier not in self.clusters:
                raise DBClusterNotFoundError(identifier)
        for identifier in db_instance_identifiers:
            if identifier not in self.databases:
                raise DBInstanceNotFoundError(identifier)
        targets: list[models.DBProxyTarget] = super().register_db_proxy_targets(
            db_proxy_name, target_group_name, db_cluster_identifiers, db_instance_identifiers
        )
        target: Any  # moto declares a target's port and role narrower than they are
        for target in targets:
            instance = self.databases.get(target.rds_resource_id)
            if instance is not None:
                target.endpoint, target.port = instance.address, instance.port
                target.role, target.target_arn = "READ_WRITE", instance.db_instance_arn
            else:
                target.target_arn = self.clusters[target.rds_resource_id].db_cluster_arn
        return targets

    def deregister_db_proxy_targets(
        self,
        db_proxy_name: str,
        target_group_name: str,
        db_cluster_identifiers: list[str],
        db_instance_identifiers: list[str],
    ) -> None:
        """Takes databases from a target group.

        Raises:
            ApiError: DBProxyTargetNotFoundFault.
        """
        group = self._target_group(db_proxy_name, target_group_name)
        registered = {target.rds_resource_id for target in group.targets}
        for identifier in (*db_cluster_identifiers, *db_instance_identifiers):
            if identifier not in registered:
                message = f"{identifier} is not registered with proxy {db_proxy_name}."
                raise ApiError("DBProxyTargetNotFoundFault", message)
        super().deregister_db_proxy_targets(
            db_proxy_name, target_group_name, db_cluster_identifiers, db_instance_identifiers
        )

    def describe_db_proxy_targets(self, proxy_name: str) -> list[models.DBProxyTarget]:
        """Returns the targets of a proxy."""
        self._proxy(proxy_name)
        targets: list[models.DBProxyTarget] = super().describe_db_proxy_targets(proxy_name)
        return targets

    def describe_db_proxy_target_groups(self, proxy_name: str) -> list[models.DBProxyTargetGroup]:
        """Returns the target groups of a proxy: RDS has one, named `default`."""
        self._proxy(proxy_name)
        groups: list[models.DBProxyTargetGroup] = super().describe_db_proxy_target_groups(proxy_name)
        return groups

    def modify_db_proxy_target_group(
        self, proxy_name: str, config: dict[str, Any]
    ) -> models.DBProxyTargetGroup:
        """Modifies how a proxy pools its connections."""
        group: Any = self._target_group(proxy_name, "default")
        idle = group.max_idle_connections
        super().modify_db_proxy_target_group(proxy_name, config)
        if config.get("MaxIdleConnectionsPercent") is None and config.get("MaxConnectionsPercent") is None:
            group.max_idle_connections = idle
        group.init_query = config.get("InitQuery", group.init_query)
        group.updated_date = utcnow()
        modified: models.DBProxyTargetGroup = group
        return modified

    def _proxy(self, name: str) -> models.DBProxy:
        if name not in self.db_proxies:
            raise DBProxyNotFoundFault(name)
        return self.db_proxies[name]

    def _target_group(self, proxy: str, name: str | None) -> models.DBProxyTargetGroup:
        groups = self._proxy(proxy).proxy_target_groups
        if (name or "default") not in groups:
            message = f"Target group {name} of proxy {proxy} doesn't exist."
            raise ApiError("DBProxyTargetGroupNotFoundFault", message)
        return groups[name or "default"]
