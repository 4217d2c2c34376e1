"""The gateway of compose.yaml: Kong's declarative configuration without a database.

https://developer.konghq.com/gateway/db-less-mode/
"""

from collections.abc import Sequence
from typing import Any

from services.gateway.routes import Route, ServiceRoutes

_FORMAT = "3.0"
_REDIS_USER = "gateway"
# Kong reads it from its environment: KONG_REDIS_PASSWORD.
_REDIS_PASSWORD = "{vault://env/kong-redis-password}"  # noqa: S105 - where it is, not what


def configuration(services: Sequence[ServiceRoutes], *, redis_host: str) -> dict[str, Any]:
    """Return the configuration; the services are reached by their names.

    Args:
        services: The services with their routes.
        redis_host: Where the counts of rate limits are shared.
    """
    return {
        "_format_version": _FORMAT,
        "plugins": [
            {"name": "correlation-id", "config": {"header_name": "X-Request-Id", "echo_downstream": True}},
            {"name": "prometheus", "config": {"status_code_metrics": True, "latency_metrics": True}},
        ],
        "services": [_service(service, redis_host) for service in services],
    }


def _service(service: ServiceRoutes, redis_host: str) -> dict[str, Any]:
    return {
        "name": service.service,
        "url": f"http://{service.service}:{service.port}",
        "connect_timeout": 2000,
        "read_timeout": 30_000,
        "retries": 0,
        "routes": [_route(route, redis_host) for route in service.routes],
    }


def _route(route: Route, redis_host: str) -> dict[str, Any]:
    methods = ["OPTIONS", *(["HEAD"] if "GET" in route.methods else []), *route.methods]
    return {
        "name": route.name,
        # A tilde makes it a regular expression, which must match from the start.
        "paths": [f"~{route.pattern.removeprefix('^')}"],
        "methods": methods,
        "strip_path": False,
        "preserve_host": True,
        "request_buffering": not route.streaming,
        "response_buffering": not route.streaming,
        "plugins": _plugins(route, redis_host),
    }


def _plugins(route: Route, redis_host: str) -> list[dict[str, Any]]:
    plugins: list[dict[str, Any]] = [
        {
            "name": "rate-limiting",
            "config": {
                "minute": route.rate_limit.per_minute,
                "policy": "redis",
                "redis": {"host": redis_host, "username": _REDIS_USER, "password": _REDIS_PASSWORD},
                "fault_tolerant": True,
            },
        },
        {
            "name": "request-size-limiting",
            "config": {"allowed_payload_size": max(route.max_body_bytes, 1), "size_unit": "bytes"},
        },
    ]
    if route.cache_seconds:
        plugins.append(
            {
                "name": "proxy-cache",
                "config": {
                    "strategy": "memory",
                    "cache_ttl": route.cache_seconds,
                    "content_type": ["application/json"],
                    "request_method": ["GET", "HEAD"],
                    "response_code": [200],
                    "vary_headers": ["Authorization", "Accept-Encoding"],
                },
            }
        )
    return plugins
