import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from cloudcommerce_product.settings import ConfigurationError, Settings, load
from cloudcommerce_product.telemetry import JsonFormatter, TraceContext, current_trace
from cloudcommerce_product.web.openapi import description

_ROOT = Path(__file__).parents[2]
_GOOD = {
    "DATABASE_URL": "postgresql://product:secret-password@db/product",
    "REDIS_URL": "rediss://product:secret-password@cache",
    "INTERNAL_API_TOKEN": "t" * 32,
    "CURSOR_SECRET": "c" * 32,
    "JWKS_URL": "https://users/.well-known/jwks.json",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in _GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("name", _GOOD)
def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x:hidden@y"),
        ("DATABASE_REPLICA_URL", "hidden"),
        ("REDIS_URL", "http://hidden"),
        ("CURSOR_SECRET", "hidden"),
        ("INTERNAL_API_TOKEN", "hidden"),
        ("PORT", "0"),
        ("DATABASE_POOL_SIZE", "0"),
        ("CACHE_FRESH", "-1"),
        ("DEFAULT_CURRENCY", "usd"),
        ("LOG_LEVEL", "loud"),
        ("JWKS_URL", "hidden"),
    ],
)
def test_what_is_wrong_is_named_and_never_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as caught:
        load(Settings)
    assert "hidden" not in str(caught.value)


def test_both_ports_cannot_be_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("INTERNAL_PORT", "8000")
    with pytest.raises(ConfigurationError, match="choose two"):
        load(Settings)


def test_the_description_in_the_repository_is_the_served_one() -> None:
    assert (_ROOT / "openapi.json").read_text() == description(), (
        "run `python -m cloudcommerce_product openapi > openapi.json`"
    )


@pytest.mark.parametrize("internal", [False, True])
def test_the_description_is_valid(internal: bool) -> None:
    document: dict[str, Any] = json.loads(description(internal=internal))
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_public_operation_has_a_route_and_only_those() -> None:
    routes = yaml.safe_load((_ROOT / "routes.yaml").read_text())["routes"]
    routed = [
        (method, route["path"], route["auth"]) for route in routes for method in sorted(route["methods"])
    ]
    described = [
        (method.upper(), path, "none" if method == "get" else "jwt")
        for path, methods in json.loads(description())["paths"].items()
        for method in methods
    ]
    assert sorted(routed) == sorted(described)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-01",
        "\n" * 500,
    ],
)
def test_a_bad_traceparent_begins_a_new_trace(header: str | None) -> None:
    context = TraceContext.continued(header)
    assert len(context.trace_id) == 32
    assert TraceContext.continued(context.traceparent).trace_id == context.trace_id


def test_a_log_line_is_json_with_its_trace() -> None:
    token = current_trace.set(TraceContext.continued("00-" + "a" * 32 + "-" + "b" * 16 + "-01"))
    record = logging.LogRecord("x", logging.INFO, "", 0, 'say "%s"\n', ("hi",), None)
    line = JsonFormatter().format(record)
    current_trace.reset(token)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["message"], entry["trace_id"], entry["service"]) == ('say "hi"\n', "a" * 32, "product")
    assert entry["time"].endswith("Z")
