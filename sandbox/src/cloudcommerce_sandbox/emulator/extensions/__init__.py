"""What moto lacks, loaded into moto."""

from __future__ import annotations

import threading

from cloudcommerce_sandbox.emulator.extensions import (
    awslambda,
    cloudwatch,
    ec2,
    ecr,
    eks,
    elasticache,
    kms,
    mq,
    rds,
    secretsmanager,
)
from cloudcommerce_sandbox.emulator.extensions.registry import Extension, Runtime

EXTENSIONS: tuple[Extension, ...] = tuple(
    module.EXTENSION
    for module in (awslambda, cloudwatch, ec2, ecr, eks, elasticache, kms, mq, rds, secretsmanager)
)


def install(endpoint_url: str, lock: threading.RLock, *, is_followed: bool = False) -> None:
    """Loads every extension into moto. Call once, before the first request."""
    runtime = Runtime(endpoint_url, lock, is_followed)
    for extension in EXTENSIONS:
        extension.install(runtime)
