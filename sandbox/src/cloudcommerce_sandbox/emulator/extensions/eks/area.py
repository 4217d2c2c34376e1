"""What the operations on each kind of resource see of the backend that they are part of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.documents import Update, bad_request, not_found

Parameters = Mapping[str, Any]


@dataclass
class Area:
    """The operations on one kind of resource, in an account and region.

    Attributes:
        account_id: the account.
        region_name: the region.
        clusters: the clusters by name, shared by all areas.
        is_followed: whether somebody runs control planes and nodes for what is created here; if not, all of
            it is ACTIVE at once.
    """

    is_followed: ClassVar[bool] = False
    account_id: str
    region_name: str
    clusters: dict[str, Cluster]

    def find(self, parameters: Parameters) -> Cluster:
        """Returns the cluster that a call is about.

        Raises:
            ApiError: ResourceNotFoundException.
        """
        name = parameters.get("clusterName") or parameters.get("name")
        cluster = self.clusters.get(str(name))
        if cluster is None:
            raise not_found(f"No cluster found for name: {name}.")
        return cluster

    def find_active(self, parameters: Parameters) -> Cluster:
        """Returns the cluster that a call is to change.

        Raises:
            ApiError: ResourceNotFoundException, or InvalidRequestException when it is not ACTIVE.
        """
        cluster = self.find(parameters)
        if not cluster.is_active:
            raise bad_request(f"Cluster '{cluster.name}' is not in ACTIVE status")
        return cluster

    def add_update(self, cluster: Cluster, update: Update, *, at_once: bool) -> Update:
        """Records an update; `at_once` ends it too."""
        cluster.updates.append(update)
        if at_once:
            update.finish()
        return update

    def arn(self, kind: str, *parts: str) -> str:
        """Returns an ARN of this account and region."""
        return f"arn:aws:eks:{self.region_name}:{self.account_id}:{kind}/{'/'.join(parts)}"
