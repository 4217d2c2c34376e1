"""Protection that stands in AWS itself, lifted before a provider deletes.

A Terraform-based provider deletes with what its state says (`skipFinalSnapshot`, `finalSnapshotIdentifier`,
`forceDelete`) and does not lift `deletionProtection` on the way, so both are settled here first, in a way
that does not depend on which provider deletes.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import botocore.exceptions

from operations.clients import Clients, is_missing
from operations.state import Deployment, Resource

_SNAPSHOT_NAME_LIMIT = 255
"""Longest name of a snapshot in RDS and DocumentDB
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html)."""

_STAMP = re.compile(r"-\d{14}$")


@dataclass(frozen=True)
class Lifted:
    """A protection that was lifted.

    Attributes:
        name: Logical name of the resource.
        what: What was done.
    """

    name: str
    what: str


def lift_protection(clients: Clients, deployment: Deployment) -> Iterator[Lifted]:
    """Lift what AWS itself would refuse a deletion for. What is gone already is passed over.

    Args:
        clients: Clients of the stack's region.
        deployment: The state.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    for resource in deployment.cloud_resources:
        lift = _LIFTS.get(resource.resource_type)
        if lift is None:
            continue
        try:
            done = lift(clients, resource)
        except botocore.exceptions.ClientError as error:
            if not is_missing(error):
                raise
        else:
            if done:
                yield Lifted(resource.name, done)


def name_final_snapshots(deployment: Deployment, moment: time.struct_time | None = None) -> Deployment:
    """Return the state with the time of this teardown in the names of final snapshots.

    A fixed name would collide at the second teardown: the first one's snapshot is kept by design.

    Args:
        deployment: The state; a provider deletes with the names that it holds.
        moment: Time of the teardown, in UTC; now when absent.
    """
    stamp = time.strftime("%Y%m%d%H%M%S", moment or time.gmtime())
    for resource in deployment.cloud_resources:
        old = resource.outputs.get("finalSnapshotIdentifier") or resource.inputs.get(
            "finalSnapshotIdentifier"
        )
        if isinstance(old, str) and old:
            base = _STAMP.sub("", old)[: _SNAPSHOT_NAME_LIMIT - len(stamp) - 1].rstrip("-")
            deployment = deployment.with_values(resource.urn, {"finalSnapshotIdentifier": f"{base}-{stamp}"})
    return deployment


def images(clients: Clients, deployment: Deployment) -> Mapping[str, int]:
    """Count the images in each repository of the state."""
    return {
        resource.name: len(_digests(clients, resource))
        for resource in deployment.cloud_resources
        if resource.resource_type == _REPOSITORY
    }


def _database(clients: Clients, resource: Resource) -> str:
    rds, identifier = clients.get("rds"), str(resource.outputs.get("identifier", resource.id))
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    if not instance.get("DeletionProtection"):
        return ""
    rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)
    return "RDS deletion protection off"


def _document_cluster(clients: Clients, resource: Resource) -> str:
    docdb, identifier = clients.get("docdb"), str(resource.outputs.get("clusterIdentifier", resource.id))
    (cluster,) = docdb.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
    if not cluster.get("DeletionProtection"):
        return ""
    docdb.modify_db_cluster(DBClusterIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)
    return "DocumentDB deletion protection off"


def _cluster(clients: Clients, resource: Resource) -> str:
    eks, name = clients.get("eks"), str(resource.outputs.get("name", resource.id))
    if not eks.describe_cluster(name=name)["cluster"].get("deletionProtection"):
        return ""
    eks.update_cluster_config(name=name, deletionProtection=False)
    return "EKS deletion protection off"


def _load_balancer(clients: Clients, resource: Resource) -> str:
    attribute = {"Key": "deletion_protection.enabled", "Value": "false"}
    clients.get("elbv2").modify_load_balancer_attributes(LoadBalancerArn=resource.id, Attributes=[attribute])
    return "load balancer deletion protection off"


def _repository(clients: Clients, resource: Resource) -> str:
    digests = _digests(clients, resource)
    for start in range(0, len(digests), _ECR_BATCH):
        batch = [{"imageDigest": digest} for digest in digests[start : start + _ECR_BATCH]]
        clients.get("ecr").batch_delete_image(repositoryName=resource.id, imageIds=batch)
    return f"{len(digests)} images deleted" if digests else ""


def _digests(clients: Clients, resource: Resource) -> list[str]:
    pages = clients.get("ecr").get_paginator("list_images").paginate(repositoryName=resource.id)
    try:
        found = {image["imageDigest"] for page in pages for image in page["imageIds"]}
    except botocore.exceptions.ClientError as error:
        if is_missing(error):
            return []
        raise
    return sorted(found)


_ECR_BATCH = 100
"""Most images in one call
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html)."""

_REPOSITORY = "aws:ecr/repository:Repository"

_LIFTS: Mapping[str, Callable[[Clients, Resource], str]] = {
    "aws:docdb/cluster:Cluster": _document_cluster,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:rds/instance:Instance": _database,
    _REPOSITORY: _repository,
}
