"""What moto lacks, loaded into moto."""

from __future__ import annotations

import threading

from cloudcommerce_sandbox.emulator.extensions import elasticache, rds
from cloudcommerce_sandbox.emulator.extensions.registry import Extension, Runtime

EXTENSIONS: tuple[Extension, ...] = (rds.EXTENSION, elasticache.EXTENSION)


def install(endpoint_url: str, lock: threading.RLock) -> None:
    """Loads every extension into moto. Call once, before the first request."""
    runtime = Runtime(endpoint_url, lock)
    for extension in EXTENSIONS:
        extension.install(runtime)
