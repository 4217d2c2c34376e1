"""Amazon RDS: instances, their groups, proxies and event subscriptions."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.types.rds.events import EVENT_SUBSCRIPTION
from cloudcommerce_sandbox.plugins.aws.types.rds.groups import PARAMETER_GROUP, SUBNET_GROUP
from cloudcommerce_sandbox.plugins.aws.types.rds.instance import INSTANCE
from cloudcommerce_sandbox.plugins.aws.types.rds.proxy import PROXY, PROXY_DEFAULT_TARGET_GROUP, PROXY_TARGET

TYPES: tuple[ResourceType, ...] = (
    SUBNET_GROUP,
    PARAMETER_GROUP,
    INSTANCE,
    PROXY,
    PROXY_DEFAULT_TARGET_GROUP,
    PROXY_TARGET,
    EVENT_SUBSCRIPTION,
)
