"""The gateway of a development machine: Caddy's JSON configuration.

https://caddyserver.com/docs/json/
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from services.gateway.routes import Route, ServiceRoutes

_PROBLEMS = "https://cloudcommerce.example/problems"
_TITLES = {
    401: ("unauthorized", "A bearer token is required"),
    404: ("not-found", "There is no such path"),
    405: ("method-not-allowed", "The path does not take this method"),
    413: ("body-too-large", "The body is too large"),
}

Handler = dict[str, Any]


def configuration(
    services: Sequence[ServiceRoutes], *, listen: str, upstreams: Mapping[str, str]
) -> dict[str, Any]:
    """Return the configuration.

    Args:
        services: The services with their routes.
        listen: Address of the gateway, `host:port`.
        upstreams: Address of each service by its name, `host:port`.

    Raises:
        KeyError: A service has no upstream.
    """
    routes = [
        forwarded for service in services for forwarded in _service(service, upstreams[service.service])
    ]
    server = {
        "listen": [listen],
        "automatic_https": {"disable": True},
        "logs": {},
        "routes": [*routes, {"handle": [_problem(404)]}],
        "errors": {"routes": [_too_large(), {"handle": [_unavailable()]}]},
    }
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "apps": {"http": {"servers": {"shop": server}}},
    }


def _service(service: ServiceRoutes, upstream: str) -> list[dict[str, Any]]:
    """Return the routes of a service: for each path its methods, then the refusal of all others."""
    found = []
    for pattern, same in groupby(sorted(service.routes, key=lambda r: r.pattern), key=lambda r: r.pattern):
        routes = list(same)
        path = {"path_regexp": {"pattern": pattern}}
        found += [_forwarded(route, path, upstream) for route in routes]
        methods = sorted({method for route in routes for method in _methods(route)})
        found.append({"match": [path], "handle": [_problem(405, {"Allow": [", ".join(methods)]})]})
    return [{**route, "terminal": True} for route in found]


def _forwarded(route: Route, path: Mapping[str, Any], upstream: str) -> dict[str, Any]:
    handlers: list[Handler] = []
    if route.auth == "jwt":
        handlers.append(_only_with_token())
    # A limit of 0 would be none.
    handlers.append({"handler": "request_body", "max_size": max(route.max_body_bytes, 1)})
    handlers.append(_proxy(upstream, streaming=route.streaming))
    return {"match": [{**path, "method": _methods(route)}], "handle": handlers}


def _methods(route: Route) -> list[str]:
    # Services answer HEAD as GET without a body, and preflight requests by their own list of origins.
    return ["OPTIONS", *(["HEAD"] if "GET" in route.methods else []), *route.methods]


def _only_with_token() -> Handler:
    unauthorized = {
        "match": [
            {
                "not": [
                    {"header_regexp": {"Authorization": {"pattern": r"(?i)^bearer [A-Za-z0-9._~+/=-]+$"}}},
                    {"method": ["OPTIONS"]},
                ]
            }
        ],
        "handle": [_problem(401, {"WWW-Authenticate": ["Bearer"]})],
        "terminal": True,
    }
    return {"handler": "subroute", "routes": [unauthorized]}


def _proxy(upstream: str, *, streaming: bool) -> Handler:
    # Caddy replaces X-Forwarded-* of clients that it was not told to trust, which are all.
    proxy: Handler = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        "transport": {"protocol": "http", "dial_timeout": "2s", "response_header_timeout": "30s"},
    }
    if streaming:
        proxy["flush_interval"] = -1
    return proxy


def _problem(status: int, headers: Mapping[str, Sequence[str]] | None = None) -> Handler:
    slug, title = _TITLES[status]
    body = f'{{"type":"{_PROBLEMS}/{slug}","title":"{title}","status":{status}}}'
    return {
        "handler": "static_response",
        "status_code": status,
        "headers": {"Content-Type": ["application/problem+json"], **(headers or {})},
        "body": body,
    }


def _too_large() -> dict[str, Any]:
    return {
        "match": [{"expression": "{http.error.status_code} == 413"}],
        "handle": [_problem(413)],
        "terminal": True,
    }


def _unavailable() -> Handler:
    title = "The service does not answer"
    body = f'{{"type":"{_PROBLEMS}/unavailable","title":"{title}","status":{{http.error.status_code}}}}'
    return {
        "handler": "static_response",
        "status_code": "{http.error.status_code}",
        "headers": {"Content-Type": ["application/problem+json"], "Retry-After": ["1"]},
        "body": body,
    }
