"""Routes of the services: what is refused, and what Kong is made of."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.gateway import kong
from services.gateway.routes import RoutesError, load

ROUTE = {
    "name": "search",
    "methods": ["GET"],
    "path": "/api/v1/products",
    "auth": "none",
    "rateLimit": {"perMinute": 60},
    "maxBodyBytes": 0,
}


def written(folder: Path, **services: list[dict[str, Any]] | str) -> Path:
    for number, (service, routes) in enumerate(services.items()):
        (folder / service).mkdir()
        document = routes
        if not isinstance(routes, str):
            document = yaml.safe_dump({"service": service, "port": 8000 + number, "routes": routes})
        (folder / service / "routes.yaml").write_text(str(document))
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": []}, "routes.0.methods"),
        ({"methods": ["TRACE"]}, "routes.0.methods.0"),
        ({"path": "api"}, "routes.0.path"),
        ({"path": "/api/../metrics/{id"}, "routes.0.path"),
        ({"auth": "maybe"}, "routes.0.auth"),
        ({"rateLimit": {"perMinute": 0}}, "rateLimit.perMinute"),
        ({"maxBodyBytes": -1}, "maxBodyBytes"),
        ({"maxBodyBytes": "1"}, "maxBodyBytes"),
        ({"cache": 5}, "routes.0.cache"),
    ],
)
def test_a_wrong_route_is_refused_by_its_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(RoutesError, match=message):
        load(written(tmp_path, product=[{**ROUTE, **change}]))


@pytest.mark.parametrize("text", ["", "routes: [", "- a", "service: product"])
def test_a_file_that_is_no_routes_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(RoutesError, match=r"product/routes\.yaml"):
        load(written(tmp_path, product=text))


def test_two_answers_to_one_request_are_refused(tmp_path: Path) -> None:
    one = {**ROUTE, "path": "/api/v1/products/{id}"}
    other = {**ROUTE, "name": "read", "path": "/api/v1/products/{product_id}"}
    with pytest.raises(RoutesError, match=r"search and read both answer GET /api/v1/products/\{product_id\}"):
        load(written(tmp_path, order=[one], product=[other]))


def test_a_name_is_used_once(tmp_path: Path) -> None:
    with pytest.raises(RoutesError, match="two routes are named search"):
        load(written(tmp_path, order=[{**ROUTE, "path": "/a"}], product=[ROUTE]))


def test_no_services_are_no_gateway(tmp_path: Path) -> None:
    with pytest.raises(RoutesError, match=r"no \*/routes\.yaml"):
        load(tmp_path)


def test_kong_gets_every_route_with_its_limits() -> None:
    services = load()
    made = kong.configuration(services, redis_host="valkey")
    assert [service["name"] for service in made["services"]] == ["order", "product", "user"]
    for service, kong_service in zip(services, made["services"], strict=True):
        assert kong_service["url"] == f"http://{service.service}:{service.port}"
        for route, kong_route in zip(service.routes, kong_service["routes"], strict=True):
            plugins = {plugin["name"]: plugin["config"] for plugin in kong_route["plugins"]}
            assert plugins["rate-limiting"]["minute"] == route.rate_limit.per_minute
            assert plugins["request-size-limiting"]["allowed_payload_size"] >= route.max_body_bytes
            assert ("proxy-cache" in plugins) == bool(route.cache_seconds)
            assert kong_route["response_buffering"] != route.streaming
            assert set(route.methods) <= set(kong_route["methods"])
            assert kong_route["strip_path"] is False
