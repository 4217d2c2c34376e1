"""Rotation on real stores: services can log in throughout, and running again makes any crash good."""

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from operations.bootstrap import rotation
from operations.bootstrap.credentials import SecretReader
from operations.bootstrap.errors import StoreError
from operations.bootstrap.plan_file import parse_plan
from operations.bootstrap.postgres.access import ServerAccess
from operations.bootstrap.run import Stores
from tests.stores.ferretdb import MongoServer
from tests.stores.postgres import PostgresServer
from tests.stores.rabbitmq import RabbitServer
from tests.stores.shop import Shop

pytestmark = pytest.mark.mission_M36

Login = Callable[[dict[str, str]], None]


@pytest.fixture
def orders(shop: Shop, postgres_server: PostgresServer) -> Shop:
    """One bootstrapped database; its runtime role alternates, its reader has a single login."""
    store = shop.add_postgres(postgres_server, databases=1)
    store["databases"][0]["roles"][2]["rotation"] = "single"
    assert shop.run().code == 0
    return shop


def postgres_login(shop: Shop, server: PostgresServer) -> Login:
    return lambda secret: server.connect(secret["username"], secret["password"], shop.name("orders")).close()


def arn_of(shop: Shop, short: str) -> str:
    return str(shop.secrets.client.describe_secret(SecretId=f"{shop.namespace}/{shop.name(short)}")["ARN"])


def test_alternating_keeps_the_old_login_working(orders: Shop, postgres_server: PostgresServer) -> None:
    arn, login = arn_of(orders, "orders_runtime"), postgres_login(orders, postgres_server)
    old = orders.secrets.current(arn)
    assert orders.run(subcommand=("rotate", arn)).code == 0
    new = orders.secrets.current(arn)
    assert new["username"] == old["username"] + "_clone"
    assert new["password"] != old["password"]
    login(old)
    login(new)
    assert orders.run().changes == [], "the bootstrap must take the other login for the current one"
    assert orders.run(subcommand=("rotate", arn)).code == 0
    newest = orders.secrets.current(arn)
    assert newest["username"] == old["username"]
    login(new)
    login(newest)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        login(old)


def test_single_replaces_the_password(orders: Shop, postgres_server: PostgresServer) -> None:
    arn, login = arn_of(orders, "orders_reader"), postgres_login(orders, postgres_server)
    old = orders.secrets.current(arn)
    found = orders.run(subcommand=("rotate", arn))
    assert found.changes == [("updated", f"user {old['username']}", "password rotated")]
    new = orders.secrets.current(arn)
    assert new["username"] == old["username"]
    login(new)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        login(old)
    assert orders.run().changes == []


def test_no_label_is_left_and_other_fields_stay(orders: Shop) -> None:
    arn = arn_of(orders, "orders_runtime")
    current = orders.secrets.current(arn)
    text = json.dumps({"username": current["username"], "password": "a-new-one", "host": "db"})
    orders.secrets.client.put_secret_value(SecretId=arn, SecretString=text)
    assert orders.run().code == 0
    assert orders.run(subcommand=("rotate", arn)).code == 0
    assert orders.secrets.current(arn)["host"] == "db"
    labels = sorted(label for stage in orders.secrets.stages(arn).values() for label in stage)
    assert labels == ["AWSCURRENT", "AWSPREVIOUS"]


class _Crash(BaseException):
    """What a kill looks like from inside: nothing after it runs."""


def crash_at(patch: pytest.MonkeyPatch, stores: Stores, secret: str, step: str, when: str) -> None:
    """Let one step of rotation die, before or after it did its work."""
    owner = {
        "put_secret_value": stores.secrets.client(secret),
        "set_password": ServerAccess,
        "promote": rotation._Versions,
        "forget_pending": rotation._Versions,
    }[step]
    real = getattr(owner, step)

    def crashing(*arguments: Any, **named: Any) -> None:
        if when == "after":
            real(*arguments, **named)
        raise _Crash

    patch.setattr(owner, step, crashing)


@pytest.mark.parametrize(
    "crash",
    list(
        itertools.product(
            ["put_secret_value", "set_password", "promote", "forget_pending"], ["before", "after"]
        )
    ),
    ids=" ".join,
)
@pytest.mark.parametrize("user", ["orders_runtime", "orders_reader"])
def test_a_crash_at_any_step_is_made_good_by_running_again(
    orders: Shop,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    crash: tuple[str, str],
    user: str,
) -> None:
    arn, login = arn_of(orders, user), postgres_login(orders, postgres_server)
    old = orders.secrets.current(arn)
    stores = Stores(parse_plan(orders.plan_file().read_text()), SecretReader(), 0)

    with monkeypatch.context() as patch:
        crash_at(patch, stores, arn, *crash)
        with pytest.raises(_Crash):
            rotation.rotate(stores, arn)

    if user == "orders_runtime":
        login(orders.secrets.current(arn))
    assert orders.run(subcommand=("rotate", arn)).code == 0
    new = orders.secrets.current(arn)
    assert new["password"] != old["password"]
    login(new)
    assert orders.run().changes == []
    assert "AWSPENDING" not in str(orders.secrets.stages(arn))


def test_two_rotations_at_a_time_agree(orders: Shop, postgres_server: PostgresServer) -> None:
    arn = arn_of(orders, "orders_runtime")
    runs = [orders.start("rotate", arn) for _ in range(2)]
    for run in runs:
        output, errors = run.communicate(timeout=60)
        assert run.returncode == 0, output + errors
    postgres_login(orders, postgres_server)(orders.secrets.current(arn))
    assert orders.run().changes == []


def test_killed_rotations_never_lock_a_service_out(
    orders: Shop, postgres_server: PostgresServer, full_run: bool
) -> None:
    arn, login = arn_of(orders, "orders_runtime"), postgres_login(orders, postgres_server)
    for attempt in range(20 if full_run else 6):
        run = orders.start("rotate", arn)
        time.sleep(0.5 + attempt * 0.15)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
        login(orders.secrets.current(arn))
    assert orders.run(subcommand=("rotate", arn)).code == 0
    login(orders.secrets.current(arn))


def test_a_store_that_refuses_leaves_the_current_version(
    orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = arn_of(orders, "orders_runtime")
    old = orders.secrets.current(arn)

    def refuse(*_: object) -> None:
        raise StoreError("postgres", "role", "no", "wait")

    with monkeypatch.context() as patch:
        patch.setattr(ServerAccess, "set_password", refuse)
        assert orders.run(subcommand=("rotate", arn)).code == 1
    assert orders.secrets.current(arn) == old


def test_an_unknown_secret_is_a_usage_error(orders: Shop) -> None:
    found = orders.run(subcommand=("rotate", "arn:aws:secretsmanager:us-east-1:123456789012:secret:none"))
    assert found.code == 2
    assert "no user of the plan has the secret" in found.output


@pytest.fixture
def broker(shop: Shop, rabbitmq_server: RabbitServer) -> Iterator[Shop]:
    shop.add_rabbitmq(rabbitmq_server)
    assert shop.run().code == 0
    yield shop
    rabbitmq_server.api("DELETE", "vhosts", shop.name("shop"))


@pytest.mark.parametrize("user", ["orders", "mail"])
def test_rabbitmq_users_rotate(broker: Shop, rabbitmq_server: RabbitServer, user: str) -> None:
    arn = arn_of(broker, user)
    old = broker.secrets.current(arn)
    assert broker.run(subcommand=("rotate", arn)).code == 0
    new = broker.secrets.current(arn)
    assert new["username"] == (old["username"] + "_clone" if user == "orders" else old["username"])
    rabbitmq_server.connect(new["username"], new["password"], broker.name("shop")).close()
    assert broker.run().changes == []


def test_mongodb_users_rotate(shop: Shop, mongodb_server: MongoServer) -> None:
    shop.add_mongodb(mongodb_server)
    assert shop.run().code == 0
    arn = arn_of(shop, "users")
    old = shop.secrets.current(arn)
    assert shop.run(subcommand=("rotate", arn)).code == 0
    new = shop.secrets.current(arn)
    assert new["username"] == old["username"] + "_clone"
    for secret in (old, new):
        with mongodb_server.connect(secret["username"], secret["password"]) as client:
            client.admin.command("ping")
    assert shop.run().changes == []
