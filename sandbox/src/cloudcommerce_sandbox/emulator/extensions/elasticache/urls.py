"""URLs of Amazon ElastiCache."""

from __future__ import annotations

from moto.elasticache.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.elasticache.responses import ElastiCacheResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ElastiCacheResponse.dispatch}
