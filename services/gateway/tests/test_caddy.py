"""What the gateway lets through, on a real Caddy."""

import http.client
import socket
import threading
import time
from pathlib import Path

import pytest

from services.gateway.routes import Route, load
from services.gateway.tests.conftest import Gateway, Handler, caddy_in_front, free_port

TOKEN = "Bearer aaa.bbb.ccc"
ORDER = "/api/v1/orders/01a20b89-8527-78f3-853b-69e85515706e"
ROUTES = [
    pytest.param(service.service, route, method, id=f"{method} {route.path}")
    for service in load()
    for route in service.routes
    for method in route.methods
]


def path_of(route: Route) -> str:
    return route.path.replace("{", "").replace("}", "")


@pytest.mark.parametrize(("service", "route", "method"), ROUTES)
def test_each_route_reaches_its_service_with_its_path_and_token(
    gateway: Gateway, service: str, route: Route, method: str
) -> None:
    body = b"" if method in {"GET", "DELETE"} else b"x" * route.max_body_bytes
    answer = gateway.send(method, path_of(route) + "?limit=2", body or None, token=TOKEN)

    assert answer.status == 200
    ((reached_method, target, headers),) = gateway.backends[service].requests
    assert (reached_method, target) == (method, path_of(route) + "?limit=2")
    assert headers["authorization"] == TOKEN
    assert gateway.backends[service].bodies == [body]


@pytest.mark.parametrize(("service", "route", "method"), ROUTES)
def test_without_a_token_nothing_reaches_what_needs_one(
    gateway: Gateway, service: str, route: Route, method: str
) -> None:
    answer = gateway.send(method, path_of(route))

    if route.auth == "jwt":
        assert answer.status == 401
        assert answer.problem["type"].endswith("/unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert gateway.reached == []
    else:
        assert answer.status == 200
        assert len(gateway.backends[service].requests) == 1


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer a b", "aaa.bbb.ccc"])
def test_what_is_no_bearer_token_is_none(gateway: Gateway, header: str) -> None:
    assert gateway.send("GET", "/api/v1/cart", token=header).status == 401
    assert gateway.reached == []


def test_preflight_requests_need_no_token(gateway: Gateway) -> None:
    assert gateway.send("OPTIONS", "/api/v1/users/me").status == 200
    assert gateway.reached[0][0] == "OPTIONS"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/products", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/.well-known/jwks.json", "GET, HEAD, OPTIONS"),
        ("GET", "/api/v1/auth/login", "OPTIONS, POST"),
        ("TRACE", "/api/v1/cart", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_taken(
    gateway: Gateway, method: str, path: str, allowed: str
) -> None:
    answer = gateway.send(method, path, token=TOKEN)

    assert answer.status == 405
    assert answer.problem["type"].endswith("/method-not-allowed")
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", "))
    assert gateway.reached == []


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/internal/v1/reservations",
        "/api/v1/productsx",
        "/api/v1/products/",
        "/api/v1/products/a/b",
        "/api/v2/products",
        "/api/v1/orders/../../../metrics",
        "/api/v1/orders/..%2f..%2f..%2fmetrics",
        "/api/v1/orders/%2e%2e/%2e%2e/%2e%2e/metrics",
        "/api/v1/products/..%2f..%2f..%2finternal%2fv1%2freservations",
        "/api/v1/products/%2e%2e/../../internal/v1/reservations",
        "//metrics",
        "/%6detrics",
        "/api/v1/products/..;/..;/metrics",
        "/.well-known/../metrics",
    ],
)
def test_what_is_not_public_is_not_found(gateway: Gateway, target: str) -> None:
    answer = gateway.send("GET", target, token=TOKEN)

    assert answer.status == 404, gateway.reached
    assert answer.problem["type"].endswith("/not-found")
    assert gateway.reached == []


@pytest.mark.parametrize(("path", "limit"), [("/api/v1/auth/register", 4096), ("/api/v1/auth/refresh", 1024)])
def test_a_body_over_the_route_s_limit_is_refused(gateway: Gateway, path: str, limit: int) -> None:
    assert gateway.send("POST", path, b"x" * limit).status == 200

    answer = gateway.send("POST", path, b"x" * (limit + 1))

    assert answer.status == 413
    assert answer.problem["type"].endswith("/body-too-large")
    assert len(gateway.reached) == 1 or len(gateway.backends["user"].bodies[-1]) <= limit


def test_an_event_comes_when_it_is_sent_and_not_when_the_stream_ends(gateway: Gateway) -> None:
    release = threading.Event()

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.wfile.write(b"event: reserved\n\n")
        handler.wfile.flush()
        release.wait(20)
        handler.close_connection = True

    gateway.backends["order"].reply = reply
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request("GET", f"{ORDER}/events", headers={"Authorization": TOKEN})
        response = connection.getresponse()
        started = time.monotonic()
        assert response.readline() == b"event: reserved\n"
        assert time.monotonic() - started < 5
        assert not release.is_set()
    finally:
        release.set()
        connection.close()


def test_a_client_cannot_say_who_it_is(gateway: Gateway) -> None:
    gateway.send(
        "POST", "/api/v1/auth/login", b"{}",
        X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example",
    )  # fmt: skip

    ((_, _, headers),) = gateway.backends["user"].requests
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert "evil.example" not in headers["x-forwarded-host"]


def test_a_service_that_is_away_is_a_problem_that_says_when_to_try_again(
    caddy_program: Path, tmp_path: Path
) -> None:
    upstreams = {service.service: f"127.0.0.1:{free_port()}" for service in load()}
    with caddy_in_front(caddy_program, tmp_path, upstreams) as port:
        answer = Gateway(port, {}).send("GET", "/api/v1/products")

    assert answer.status in {502, 503}
    assert answer.problem["type"].endswith("/unavailable")
    assert answer.headers["retry-after"] == "1"


def test_a_service_that_hangs_up_is_a_problem_too(gateway: Gateway) -> None:
    def reply(handler: Handler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    gateway.backends["product"].reply = reply

    answer = gateway.send("GET", "/api/v1/categories")

    assert answer.status == 502
    assert answer.problem["type"].endswith("/unavailable")
