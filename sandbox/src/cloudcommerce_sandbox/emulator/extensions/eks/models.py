"""EKS backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.eks import models

from cloudcommerce_sandbox.emulator.extensions.eks.access import AccessOperations
from cloudcommerce_sandbox.emulator.extensions.eks.addons import AddonOperations
from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.clusters import ClusterOperations
from cloudcommerce_sandbox.emulator.extensions.eks.documents import Document, not_found
from cloudcommerce_sandbox.emulator.extensions.eks.nodegroups import NodegroupOperations
from cloudcommerce_sandbox.emulator.extensions.eks.pod_identity import PodIdentityOperations


class EKSBackend(models.EKSBackend, TaggableResourcesMixin):
    """EKS as AWS has it; of moto's own, the Fargate profiles remain."""

    SERVICE_NAMESPACE = "eks"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        place: Any = (account_id, region_name, self.clusters)
        self.cluster_operations = ClusterOperations(*place)
        self.nodegroup_operations = NodegroupOperations(*place)
        self.addon_operations = AddonOperations(*place)
        self._areas: tuple[Area, ...] = (
            self.cluster_operations,
            self.nodegroup_operations,
            self.addon_operations,
            AccessOperations(*place),
            PodIdentityOperations(*place),
        )

    def tag_resource(self, resource_arn: str, tags: dict[str, str]) -> None:
        """Tags any resource of EKS."""
        self._tags(resource_arn).update(tags)

    def untag_resource(self, resource_arn: str, tag_keys: list[str]) -> None:
        """Takes tags from any resource of EKS."""
        tags = self._tags(resource_arn)
        for key in tag_keys:
            tags.pop(key, None)

    def list_tags_for_resource(self, resource_arn: str) -> dict[str, str]:
        """Returns the tags of any resource of EKS."""
        return self._tags(resource_arn)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields what the tagging API lists."""
        for kind, arn, tags in self._resources():
            yield TaggedResource(arn, tags, f"eks:{kind}")

    def _tags(self, arn: str) -> dict[str, str]:
        for _, known, tags in self._resources():
            if known == arn:
                return tags
        raise not_found(f"Resource {arn} was not found.")

    def _resources(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        for cluster in self.cluster_operations.clusters.values():
            yield "cluster", cluster.arn, cluster.tags
            for kind, resources in (
                ("nodegroup", cluster.nodegroups),
                ("addon", cluster.addons),
                ("access-entry", cluster.access_entries),
                ("podidentityassociation", cluster.associations),
            ):
                collection: dict[str, Any] = resources
                for resource in collection.values():
                    yield kind, resource.arn, resource.tags
            for profile in cluster.fargate_profiles.values():
                yield "fargateprofile", profile.fargate_profile_arn, profile.tags

    def answer(self, operation: str, parameters: Parameters) -> Document:
        """Carries out an operation by its name in snake case."""
        area = next(area for area in self._areas if hasattr(area, operation))
        answered: Document = getattr(area, operation)(parameters)
        return answered


def backend_of(account: str, region: str) -> EKSBackend:
    """Returns the backend of an account and region."""
    return cast("EKSBackend", models.eks_backends[account][region])


def all_clusters() -> Iterator[Cluster]:
    """Yields the clusters of all accounts and regions."""
    for account, region, _ in list(models.eks_backends.iter_backends()):
        yield from backend_of(account, region).cluster_operations.clusters.values()
