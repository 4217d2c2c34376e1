"""Amazon DocumentDB: clusters with their instances and groups, global clusters. The API is that of RDS."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.types.docdb.cluster import CLUSTER
from cloudcommerce_sandbox.plugins.aws.types.docdb.cluster_instance import CLUSTER_INSTANCE
from cloudcommerce_sandbox.plugins.aws.types.docdb.global_cluster import GLOBAL_CLUSTER
from cloudcommerce_sandbox.plugins.aws.types.docdb.groups import CLUSTER_PARAMETER_GROUP, SUBNET_GROUP

TYPES: tuple[ResourceType, ...] = (
    SUBNET_GROUP,
    CLUSTER_PARAMETER_GROUP,
    CLUSTER,
    CLUSTER_INSTANCE,
    GLOBAL_CLUSTER,
)
