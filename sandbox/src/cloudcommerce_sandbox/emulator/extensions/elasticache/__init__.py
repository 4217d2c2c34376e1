"""Amazon ElastiCache."""

from __future__ import annotations

from moto.elasticache.models import elasticache_backends

from cloudcommerce_sandbox.emulator.extensions.elasticache.models import ElastiCacheBackend
from cloudcommerce_sandbox.emulator.extensions.elasticache.responses import ElastiCacheResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("elasticache", elasticache_backends, ElastiCacheBackend, ElastiCacheResponse)
