"""Amazon EKS: clusters, managed node groups, add-ons, access entries and pod identity."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.types.eks.access import ACCESS_ENTRY, ACCESS_POLICY_ASSOCIATION
from cloudcommerce_sandbox.plugins.aws.types.eks.addon import ADDON
from cloudcommerce_sandbox.plugins.aws.types.eks.cluster import CLUSTER
from cloudcommerce_sandbox.plugins.aws.types.eks.node_group import NODE_GROUP
from cloudcommerce_sandbox.plugins.aws.types.eks.pod_identity import POD_IDENTITY_ASSOCIATION

TYPES: tuple[ResourceType, ...] = (
    CLUSTER,
    NODE_GROUP,
    ADDON,
    ACCESS_ENTRY,
    ACCESS_POLICY_ASSOCIATION,
    POD_IDENTITY_ASSOCIATION,
)
