"""The three flows through a real gateway, on real stores."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from services.local import credentials, guest, running
from services.local.demo import flows
from services.local.demo.client import DemoError
from services.local.home import Home


@pytest.fixture(scope="module")
def shop(home: Home, tools: Path) -> Iterator[flows.Shop]:
    """All of it, started once."""
    with guest.started(home, tools):
        yield flows.Shop.of(home, print)


@pytest.fixture(scope="module")
def account(shop: flows.Shop) -> flows.Account:
    return flows.registration(shop)


@pytest.fixture(scope="module")
def product(shop: flows.Shop) -> flows.Product:
    return flows.search(shop)


@pytest.mark.mission_M01
@pytest.mark.mission_M11
def test_a_customer_registers_and_reads_the_own_profile(account: flows.Account) -> None:
    found = account.client.call("GET", "/api/v1/users/me", wanted=200).body

    assert found["email"] == account.email
    assert "password" not in json.dumps(found).lower()


@pytest.mark.mission_M11
def test_a_search_is_answered_by_postgresql_and_then_by_the_cache(
    shop: flows.Shop, product: flows.Product
) -> None:
    found = shop.client().call("GET", f"/api/v1/products/{product.id}", wanted=200).body

    assert found["price_minor"] == product.price_minor


@pytest.mark.mission_M07
@pytest.mark.mission_M10
@pytest.mark.mission_M11
def test_an_order_is_paid_once_followed_live_and_told_by_letters(
    shop: flows.Shop, account: flows.Account, product: flows.Product
) -> None:
    identifier = flows.order(shop, account, product)

    stock = shop.client().call("GET", f"/api/v1/products/{product.id}/stock", wanted=200).body
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (17, 0, 17)
    history = account.client.call("GET", "/api/v1/orders", wanted=200).body
    assert [one["id"] for one in history["items"]] == [identifier]


@pytest.mark.mission_M07
def test_a_declined_card_gives_the_stock_back_and_takes_no_money(
    shop: flows.Shop, account: flows.Account, product: flows.Product
) -> None:
    path = f"/api/v1/products/{product.id}/stock"
    before = shop.client().call("GET", path, wanted=200).body["available"]

    body = {
        "items": [{"product_id": product.id, "quantity": 2}],
        "contact_email": account.email,
        "payment_method": "pm_card_chargeDeclined",
    }
    refused = account.client.call(
        "POST", "/api/v1/orders", body, headers={"idempotency-key": "declined-1"}, wanted=402
    ).body

    assert refused["type"].startswith("https://cloudcommerce.example/problems/")
    assert shop.client().call("GET", path, wanted=200).body["available"] == before
    latest = account.client.call("GET", "/api/v1/orders", wanted=200).body["items"][0]
    assert latest["state"] == "failed"
    assert shop.charges(latest["id"]) == []


def test_the_walk_fails_when_a_flow_does(shop: flows.Shop, account: flows.Account) -> None:
    nothing = flows.Product("01a20b89-84f2-77e4-a461-7db2ec21448d", 1)
    with pytest.raises(DemoError, match=r"POST /api/v1/orders is answered 201; found: \((409|422)"):
        flows.order(shop, account, nothing)


@pytest.mark.parametrize("service", ["orders", "products"])
def test_a_service_has_the_rows_of_its_own_database_and_nothing_more(shop: flows.Shop, service: str) -> None:
    other = {"orders": "products", "products": "orders"}[service]
    with _connected(shop, service, service) as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("create table mine ()")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("create schema mine")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        _connected(shop, service, other)


def _connected(shop: flows.Shop, user: str, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=shop.ports["postgres"], user=user, dbname=database,
        password=credentials.secrets_of(shop.home)[user], autocommit=True,
    )  # fmt: skip


def test_secrets_are_their_owner_s_and_in_no_log(shop: flows.Shop) -> None:
    for name in ("secrets.json", "jwt-keys.json", "redis/redis.conf", "rabbitmq/definitions.json"):
        assert stat.S_IMODE((shop.home.root / name).stat().st_mode) == 0o600, name
    logs = {file.name: file.read_text(errors="replace") for file in shop.home.logs.iterdir()}
    assert {"user.log", "order.log", "product.log", "gateway.log"} <= logs.keys()
    for name, secret in credentials.secrets_of(shop.home).items():
        assert [file for file, text in logs.items() if secret in text] == [], name


def test_status_names_what_is_not_well(shop: flows.Shop, tools: Path) -> None:
    found = {one["name"]: one for one in running.processes(shop.home, tools)}

    assert {"postgres", "redis", "mongodb", "rabbitmq", "user", "product", "order", "gateway"} <= found.keys()
    assert all(map(running.is_well, found.values()))
    assert not running.is_well({**found["order"], "is_ready": "Not Ready"})
    assert not running.is_well({**found["ready"], "exit_code": 1})
