"""Amazon ElastiCache: replication groups, their groups of subnets and parameters, users."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.types.elasticache.groups import PARAMETER_GROUP, SUBNET_GROUP
from cloudcommerce_sandbox.plugins.aws.types.elasticache.replication_group import REPLICATION_GROUP
from cloudcommerce_sandbox.plugins.aws.types.elasticache.users import USER, USER_GROUP, USER_GROUP_ASSOCIATION

TYPES: tuple[ResourceType, ...] = (
    SUBNET_GROUP,
    PARAMETER_GROUP,
    REPLICATION_GROUP,
    USER,
    USER_GROUP,
    USER_GROUP_ASSOCIATION,
)
