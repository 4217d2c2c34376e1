"""Global clusters: changes of one, and its deletion protection."""

from __future__ import annotations

from typing import Any

from moto.rds import models

from cloudcommerce_sandbox.emulator.extensions.rds.engines import resolved_version
from cloudcommerce_sandbox.emulator.wire import ApiError


class GlobalClustersMixin(models.RDSBackend):
    """Global clusters of an RDS backend; moto keeps all of them in one region's."""

    SERVICE_NAMESPACE = "rds"

    def modify_global_cluster(self, kwargs: dict[str, Any]) -> models.GlobalCluster:
        """Modifies a global cluster; what is left out stays.

        https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyGlobalCluster.html

        Raises:
            ApiError: GlobalClusterNotFoundFault.
        """
        cluster = self._global_cluster(kwargs["global_cluster_identifier"])
        if kwargs.get("deletion_protection") is not None:
            cluster.deletion_protection = kwargs["deletion_protection"]
        if kwargs.get("engine_version"):
            version = resolved_version(cluster.engine, kwargs["engine_version"])
            cluster.engine_version = str(version)
            for member in cluster.members:
                member.engine_version = str(version)
        if kwargs.get("new_global_cluster_identifier"):
            del self.global_clusters[cluster.global_cluster_identifier]
            cluster.global_cluster_identifier = kwargs["new_global_cluster_identifier"]
            self.global_clusters[cluster.global_cluster_identifier] = cluster
        return cluster

    def delete_global_cluster(self, global_cluster_identifier: str) -> models.GlobalCluster:
        """Deletes a global cluster that is empty and not protected.

        Raises:
            ApiError: GlobalClusterNotFoundFault, or InvalidParameterCombination while it is protected.
        """
        cluster = self._global_cluster(global_cluster_identifier)
        if cluster.deletion_protection:
            message = "Cannot delete protected Cluster, please disable deletion protection and try again."
            raise ApiError("InvalidParameterCombination", message)
        deleted: models.GlobalCluster = super().delete_global_cluster(cluster.global_cluster_identifier)
        return deleted

    def _global_cluster(self, identifier: str) -> models.GlobalCluster:
        cluster = self.global_clusters.get(identifier.lower())
        if cluster is None:
            raise ApiError("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found")
        return cluster
