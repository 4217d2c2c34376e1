"""RDS backend: corrections of moto's and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.rds import models
from moto.rds.exceptions import (
    DBClusterNotFoundError,
    DBInstanceNotFoundError,
    DBSubnetGroupNotFoundError,
    SubscriptionNotFoundError,
)

from cloudcommerce_sandbox.emulator.extensions.rds.engines import resolved_version
from cloudcommerce_sandbox.emulator.extensions.rds.global_clusters import GlobalClustersMixin
from cloudcommerce_sandbox.emulator.extensions.rds.parameters import ParameterGroupsMixin
from cloudcommerce_sandbox.emulator.extensions.rds.proxies import ProxiesMixin
from cloudcommerce_sandbox.emulator.extensions.rds.replicas import ReplicasMixin
from cloudcommerce_sandbox.emulator.wire import ApiError


class RDSBackend(ReplicasMixin, GlobalClustersMixin, ProxiesMixin, ParameterGroupsMixin, models.RDSBackend):
    """moto's RDS backend, with DocumentDB and what is corrected and added here."""

    SERVICE_NAMESPACE = "rds"

    def create_db_instance(self, db_kwargs: dict[str, Any]) -> models.DBInstance:
        """Creates an instance; its KMS keys read back as ARNs, as RDS answers them."""
        self.normalize_keys(db_kwargs)
        instance: models.DBInstance = super().create_db_instance(db_kwargs)
        return instance

    def create_db_cluster(self, kwargs: dict[str, Any]) -> models.DBCluster:
        """Creates a cluster.

        Raises:
            ApiError: DBClusterAlreadyExistsFault, or DBClusterParameterGroupNotFound.
            DBSubnetGroupNotFoundError: no such subnet group.
        """
        identifier = kwargs["db_cluster_identifier"]
        if identifier in self.clusters:
            raise ApiError("DBClusterAlreadyExistsFault", f"DB Cluster {identifier} already exists")
        group = kwargs.get("db_subnet_group_name")
        if group and group not in self.subnet_groups:
            raise DBSubnetGroupNotFoundError(group)
        self._require_cluster_parameter_group(kwargs.get("db_cluster_parameter_group_name"))
        self.normalize_keys(kwargs)
        cluster: models.DBCluster = super().create_db_cluster(kwargs)
        return cluster

    def restore_db_instance_to_point_in_time(
        self, source_db_identifier: str, target_db_identifier: str, overrides: dict[str, Any]
    ) -> models.DBInstance:
        """Restores an instance, which is no replica of the one whose backup it is made from."""
        restored: models.DBInstance = super().restore_db_instance_to_point_in_time(
            source_db_identifier, target_db_identifier, overrides
        )
        restored.source_db_instance_identifier = None
        return restored

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> models.DBInstance:
        """Modifies an instance at once; pending changes are not played."""
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if db_kwargs.get("engine_version"):
            db_kwargs["engine_version"] = resolved_version(instance.engine, db_kwargs["engine_version"])
        if db_kwargs.get("db_port_number"):
            db_kwargs["port"] = db_kwargs.pop("db_port_number")
        self.normalize_keys(db_kwargs)
        if str(db_kwargs.get("db_parameter_group_name", "")).startswith("default."):
            instance.db_parameter_group_name = None
            instance.db_parameter_groups()
        old_name, old_arn = instance.db_instance_identifier, instance.db_instance_arn
        modified: models.DBInstance = super().modify_db_instance(db_instance_identifier, db_kwargs)
        if modified.db_instance_identifier != old_name:
            self.rename_instance(modified, old_name, old_arn)
        return modified

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,
        delete_automated_backups: bool | None = True,
    ) -> models.DBInstance:
        """Deletes an instance. Its replicas in this region become instances of their own.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html#USER_ReadRepl.Promote
        """
        instance = self.databases.get(db_instance_identifier)
        if instance is None:
            raise DBInstanceNotFoundError(db_instance_identifier)
        if not instance.deletion_protection:
            for name in list(instance.replicas):
                self.detach_replica(self.find_db_from_id(name))
            if instance.is_replica:
                self.detach_replica(instance)
        deleted: models.DBInstance = super().delete_db_instance(
            db_instance_identifier,
            final_db_snapshot_identifier,
            skip_final_snapshot,
            # RDS deletes them unless asked to keep them; moto takes a missing argument for a refusal.
            delete_automated_backups is not False,
        )
        return deleted

    def modify_db_cluster(self, kwargs: dict[str, Any]) -> models.DBCluster:
        """Modifies a cluster at once; pending changes are not played."""
        identifier = kwargs["db_cluster_identifier"]
        cluster = self.clusters.get(identifier)
        if cluster is None:
            raise DBClusterNotFoundError(identifier)
        self._require_cluster_parameter_group(kwargs.get("db_cluster_parameter_group_name"))
        if kwargs.get("engine_version"):
            kwargs["engine_version"] = resolved_version(cluster.engine, kwargs["engine_version"])
        exports = kwargs.pop("cloudwatch_logs_export_configuration", None) or {}
        enabled = set(cluster.enabled_cloudwatch_logs_exports) | set(exports.get("EnableLogTypes", ()))
        cluster.enabled_cloudwatch_logs_exports = sorted(enabled - set(exports.get("DisableLogTypes", ())))
        modified: models.DBCluster = super().modify_db_cluster(kwargs)
        return modified

    def delete_db_cluster(
        self, cluster_identifier: str, snapshot_name: str | None = None
    ) -> models.DBCluster:
        """Deletes a cluster and with it its automated snapshots, so that its name is free at once."""
        deleted: models.DBCluster = super().delete_db_cluster(cluster_identifier, snapshot_name)
        deleted.status = "deleting"
        for name, snapshot in list(self.cluster_snapshots.items()):
            own = snapshot.db_cluster_identifier == deleted.db_cluster_identifier
            if own and snapshot.snapshot_type == "automated":
                del self.cluster_snapshots[name]
        return deleted

    def _require_cluster_parameter_group(self, name: str | None) -> None:
        if name and not name.startswith("default.") and name not in self.db_cluster_parameter_groups:
            message = f"DBClusterParameterGroup not found: {name}"
            raise ApiError("DBClusterParameterGroupNotFound", message)

    def create_subnet_group(self, subnet_name: str, *arguments: Any, **options: Any) -> models.DBSubnetGroup:
        """Creates a subnet group.

        Raises:
            ApiError: DBSubnetGroupAlreadyExists.
        """
        if subnet_name in self.subnet_groups:
            message = f"The DB subnet group '{subnet_name}' already exists."
            raise ApiError("DBSubnetGroupAlreadyExists", message)
        group: models.DBSubnetGroup = super().create_subnet_group(subnet_name, *arguments, **options)
        return group

    def modify_db_subnet_group(
        self, subnet_name: str, description: str | None, subnets: list[Any]
    ) -> models.DBSubnetGroup:
        """Modifies a subnet group; moto's loses it."""
        group = self.subnet_groups.get(subnet_name)
        if group is None:
            raise DBSubnetGroupNotFoundError(subnet_name)
        group.subnets = subnets
        group.description = description if description is not None else group.description
        return group

    def delete_subnet_group(self, subnet_name: str) -> models.DBSubnetGroup:
        """Deletes a subnet group that nothing uses.

        Raises:
            ApiError: InvalidDBSubnetGroupStateFault while an instance or a cluster is in it.
        """
        users = [i for i in self.databases.values() if _subnet_group_of(i) == subnet_name]
        clusters = [c for c in self.clusters.values() if c.db_subnet_group_name == subnet_name]
        if users or clusters:
            message = f"Cannot delete the subnet group '{subnet_name}' because at least one database uses it."
            raise ApiError("InvalidDBSubnetGroupStateFault", message)
        deleted: models.DBSubnetGroup = super().delete_subnet_group(subnet_name)
        return deleted

    def modify_event_subscription(self, kwargs: dict[str, Any]) -> models.EventSubscription:
        """Modifies an event subscription; what is left out stays."""
        subscription = self._event_subscription(kwargs["subscription_name"])
        for name in ("sns_topic_arn", "source_type", "event_categories", "enabled"):
            if kwargs.get(name) is not None:
                setattr(subscription, name, kwargs[name])
        return subscription

    def add_source_identifier(self, subscription_name: str, source: str) -> models.EventSubscription:
        """Adds a source to an event subscription."""
        subscription = self._event_subscription(subscription_name)
        subscription.source_ids = sorted({*subscription.source_ids, source})
        return subscription

    def remove_source_identifier(self, subscription_name: str, source: str) -> models.EventSubscription:
        """Removes a source from an event subscription."""
        subscription = self._event_subscription(subscription_name)
        if source not in subscription.source_ids:
            raise ApiError("SourceNotFound", f"Source {source} is not in subscription {subscription_name}.")
        subscription.source_ids = [name for name in subscription.source_ids if name != source]
        return subscription

    def _event_subscription(self, name: str) -> models.EventSubscription:
        if name not in self.event_subscriptions:
            raise SubscriptionNotFoundError(name)
        return self.event_subscriptions[name]

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields every RDS resource that can be tagged, also those that moto leaves out."""
        yield from super().iter_tagged_resources()
        for kind, resources in (
            ("subgrp", self.subnet_groups),
            ("pg", self.db_parameter_groups),
            ("cluster-pg", self.db_cluster_parameter_groups),
            ("es", self.event_subscriptions),
        ):
            for resource in resources.values():
                tags = {tag["Key"]: tag["Value"] for tag in resource.get_tags()}
                yield TaggedResource(arn=resource.arn, tags=tags, resource_type=f"rds:{kind}")


def _subnet_group_of(instance: models.DBInstance) -> str | None:
    group = getattr(instance, "db_subnet_group", None)
    return group.name if group else None
