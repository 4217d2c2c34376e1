"""compose.yaml: what runs there is pinned, hardened, and agrees with what it stands for."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.data.valkey_access import access_string
from services.gateway import kong
from services.gateway.routes import load
from services.local import stores

pytestmark = pytest.mark.mission_M40

_CHECKOUT = Path(__file__).resolve().parents[2]
_COMPOSE = _CHECKOUT / "services" / "compose"
_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((_CHECKOUT / "compose.yaml").read_text())["services"]
# Reached from the host; everything else stays on the network.
_PUBLISHED = {"kong", "prometheus", "grafana", "jaeger"}

every_service = pytest.mark.parametrize("name", _SERVICES)


@every_service
def test_images_have_one_exact_version_or_are_built_here(name: str) -> None:
    service = _SERVICES[name]
    repository, tag = service["image"].rsplit(":", 1)

    if "build" in service:
        assert repository.startswith("cloudcommerce/")
        context = service["build"] if isinstance(service["build"], str) else service["build"]["context"]
        assert (_CHECKOUT / context / "Dockerfile").is_file()
    else:
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-alpine(\d+\.\d+)?)?", tag), service["image"]


@every_service
def test_nothing_can_write_to_its_image_or_gain_powers(name: str) -> None:
    service = _SERVICES[name]

    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


@every_service
def test_only_the_gateway_and_dashboards_listen_on_the_host_and_only_on_loopback(name: str) -> None:
    ports = _SERVICES[name].get("ports", [])

    assert bool(ports) == (name in _PUBLISHED)
    assert all(port.startswith("127.0.0.1:") for port in ports)


@every_service
def test_what_is_waited_for_can_be_well(name: str) -> None:
    for other, wanted in _SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert _SERVICES[other]["healthcheck"]["test"]
        else:
            assert wanted["condition"] == "service_completed_successfully"
            assert _SERVICES[other]["restart"] == "no"


@every_service
def test_files_that_are_mounted_exist(name: str) -> None:
    for volume in _SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert not source.startswith(".") or (_CHECKOUT / source).is_file(), source


def test_kong_has_the_routes_of_the_services() -> None:
    committed = yaml.safe_load((_CHECKOUT / "services/gateway/kong.yaml").read_text())

    assert committed == kong.configuration(load(), redis_host="valkey"), (
        "python -m services.gateway kong > services/gateway/kong.yaml"
    )


def test_upstreams_of_kong_are_services_here() -> None:
    for service in load():
        assert service.service in _SERVICES


@pytest.mark.parametrize(
    ("service", "prefixes"),
    [("user", ["user:", "session:"]), ("product", ["product:"]), ("order", ["order:", "session:"])],
)
def test_users_of_the_cache_may_do_what_they_may_in_production(service: str, prefixes: list[str]) -> None:
    production = access_string(prefixes)
    lines = (_COMPOSE / "valkey.conf").read_text().splitlines()

    assert f"on {stores.redis_access(service)}" == production
    assert f"user {service} on >development-{service} {stores.redis_access(service)}" in lines


def test_services_log_in_to_the_broker_with_the_passwords_it_knows() -> None:
    users = json.loads((_COMPOSE / "rabbitmq-definitions.json").read_text())["users"]

    assert {user["name"] for user in users} == {"order", "notification"}
    for user in users:
        password = re.search(
            rf"amqp://{user['name']}:([^@]+)@", _SERVICES[user["name"]]["environment"]["RABBITMQ_URL"]
        )
        assert password
        salted = base64.b64decode(user["password_hash"])
        assert hashlib.sha256(salted[:4] + password[1].encode()).digest() == salted[4:]


def test_what_a_service_is_told_has_its_counterpart() -> None:
    order, product = _SERVICES["order"]["environment"], _SERVICES["product"]["environment"]
    double = _SERVICES["stripe-double"]["environment"]

    assert order["INTERNAL_API_TOKEN"] == product["INTERNAL_API_TOKEN"]
    assert order["STRIPE_API_KEY"] == double["STRIPE_API_KEY"]
    assert order["STRIPE_WEBHOOK_SECRET"] == double["STRIPE_WEBHOOK_SECRET"]
    assert (
        _SERVICES["user"]["environment"]["TRUSTED_PROXIES"]
        == (_SERVICES["kong"]["networks"]["shop"]["ipv4_address"])
    )
    statements = (_COMPOSE / "postgres.sql").read_text()
    for service, variable in {
        "order": "DATABASE_URL", "product": "DATABASE_URL", "notification": "DATABASE_URL",
        "order-migrations": "MIGRATION_DATABASE_URL", "product-migrations": "DATABASE_URL",
    }.items():  # fmt: skip
        url = re.fullmatch(
            r"postgresql://(\w+):([^@]+)@postgres:5432/(\w+)", _SERVICES[service]["environment"][variable]
        )
        assert url
        assert f"create role {url[1]} login password '{url[2]}';" in statements
        assert f"create database {url[3]} owner" in statements
