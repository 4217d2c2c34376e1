"""What the platform asks; never routed publicly."""

import asyncio
import logging
from collections.abc import Awaitable

from fastapi import APIRouter, Response

from cloudcommerce_product import metrics
from cloudcommerce_product.fields import json_response
from cloudcommerce_product.service import Service

_log = logging.getLogger(__name__)
_PROBE_SECONDS = 2.0


def router(service: Service) -> APIRouter:
    """Liveness, readiness and metrics."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> Response:
        return json_response({"status": "ok"})

    @routes.get("/readyz")
    async def readyz() -> Response:
        """Ready while PostgreSQL answers; Redis is reported only, for the service works without it."""
        postgres, redis = await asyncio.gather(
            _answers("postgres", service.database.ping()), _answers("redis", service.cache.ping())
        )
        ready = postgres and not service.draining
        document = {"ready": ready, "draining": service.draining, "postgres": postgres, "redis": redis}
        return json_response(document, 200 if ready else 503)

    @routes.get("/metrics")
    async def scrape() -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


async def _answers(store: str, ping: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(ping, _PROBE_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, the store does not answer
        _log.warning("a store does not answer", extra={"store": store, "cause": type(error).__name__})
        return False
    return True
