"""What AWS refuses and moto lets through, where it would hurt a first real `up`."""

from __future__ import annotations

from cloudcommerce_sandbox.emulator.guards import (
    ec2,
    eks,
    eks_access,
    eks_nodegroups,
    elasticache,
    mq,
    rds,
    rds_groups,
    security,
)
from cloudcommerce_sandbox.emulator.guards.rule import RULES, check

__all__ = [
    "RULES",
    "check",
    "ec2",
    "eks",
    "eks_access",
    "eks_nodegroups",
    "elasticache",
    "mq",
    "rds",
    "rds_groups",
    "security",
]
