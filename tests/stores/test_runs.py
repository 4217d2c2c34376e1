"""Runs that are killed, doubled, misconfigured, empty or huge."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.stores.process import free_port
from tests.stores.certificates import make_certificates
from tests.stores.postgres import PostgresServer
from tests.stores.rabbitmq import RabbitServer
from tests.stores.shop import Shop
from tests.stores.test_postgres import drop

pytestmark = [pytest.mark.mission_M22, pytest.mark.mission_M25]


def test_killed_runs_converge(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer, full_run: bool
) -> None:
    shop.add_postgres(postgres_server, databases=6)
    shop.add_rabbitmq(rabbitmq_server)
    for attempt in range(30 if full_run else 8):
        run = shop.start()
        # From before the first statement to well into the databases.
        time.sleep(0.4 + 0.12 * attempt)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
    assert shop.run("--patience", "20").code == 0
    assert shop.run().changes == []
    for database in ("orders", "products"):
        shop.connect(postgres_server, f"{database}_runtime", database).close()
    drop(shop, postgres_server)


def test_two_runs_at_a_time_are_serialized_and_both_succeed(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    shop.add_postgres(postgres_server)
    shop.add_rabbitmq(rabbitmq_server)
    runs = [shop.start() for _ in range(2)]
    reports = []
    for run in runs:
        output, errors = run.communicate(timeout=120)
        assert run.returncode == 0, output + errors
        reports.append([change for change in json.loads(output)["changes"] if change["store"] == "postgres"])
    # The lock lets one of them do all the work and the other find it done.
    assert sorted(bool(changes) for changes in reports) == [False, True]
    assert shop.run().changes == []
    drop(shop, postgres_server)


def test_the_lock_dies_with_its_holder(shop: Shop, postgres_server: PostgresServer) -> None:
    shop.add_postgres(postgres_server, databases=3)
    run = shop.start()
    held = "select count(*) from pg_locks where locktype = 'advisory' and granted"
    with postgres_server.connect_as_superuser() as connection:
        deadline = time.monotonic() + 20
        while connection.execute(held).fetchone() == (0,) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert connection.execute(held).fetchone() == (1,)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
    started = time.monotonic()
    assert shop.run().code == 0
    assert time.monotonic() - started < 30
    drop(shop, postgres_server)


def test_one_broken_store_does_not_stop_the_others(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    store = shop.add_postgres(postgres_server)
    store["port"] = free_port()
    shop.add_rabbitmq(rabbitmq_server)
    found = shop.run()
    assert found.code == 1
    assert [problem["store"] for problem in found.problems] == ["postgres"]
    assert str(store["port"]) in found.problems[0]["subject"]
    assert rabbitmq_server.api("GET", "vhosts", shop.name("shop"))[0] == 200


def test_a_store_that_comes_late_is_waited_for(shop: Shop, postgres_server: PostgresServer) -> None:
    """A relay in front of the server is started only after the run."""
    store = shop.add_postgres(postgres_server, databases=1)
    store["port"] = free_port()
    run = shop.start()
    time.sleep(1.5)
    relay = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).with_name("relay.py")),
            str(store["port"]),
            str(postgres_server.port),
        ]
    )
    try:
        output, errors = run.communicate(timeout=60)
        assert run.returncode == 0, output + errors
    finally:
        relay.kill()
        relay.wait()
    drop(shop, postgres_server)


def test_a_wrong_master_password_is_named_at_once(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    shop.add_postgres(postgres_server)
    shop.add_rabbitmq(rabbitmq_server)
    shop.secret("postgres", postgres_server.master, "not-the-password")
    shop.secret("rabbitmq", rabbitmq_server.master, "not-the-password")
    started = time.monotonic()
    found = shop.run("--patience", "60")
    assert time.monotonic() - started < 20, "a refusal must not be waited out"
    assert (found.code, found.changes) == (1, [])
    assert [problem["subject"] for problem in found.problems] == ["login master_user", "login master_user"]
    assert "not-the-password" not in found.output


def test_a_missing_or_malformed_secret_is_named(shop: Shop, postgres_server: PostgresServer) -> None:
    store = shop.add_postgres(postgres_server, databases=1)
    runtime, migration, reader = store["databases"][0]["roles"]
    runtime["secret"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf"
    shop.secrets.client.put_secret_value(SecretId=migration["secret"], SecretString="hunter2-in-clear")
    shop.secret(reader["name"], username="somebody_else")
    found = shop.run()
    assert found.code == 1
    problems = {problem["subject"]: problem["reason"] for problem in found.problems}
    assert problems[f"secret {runtime['secret']}"] == "Secrets Manager answers ResourceNotFoundException"
    assert "JSON" in problems[f"secret {migration['secret']}"]
    assert problems[f"secret {reader['secret']}"] == "names the user 'somebody_else'"
    assert "hunter2" not in found.output
    drop(shop, postgres_server)


def test_a_service_must_not_be_the_master(shop: Shop, rabbitmq_server: RabbitServer) -> None:
    store = shop.add_rabbitmq(rabbitmq_server)
    store["users"][1]["name"] = rabbitmq_server.master
    shop.secret(shop.name("mail"), rabbitmq_server.master, "taken-over")
    found = shop.run()
    assert found.code == 1
    assert "master" in found.problems[0]["reason"]
    assert rabbitmq_server.api("GET", "whoami")[0] == 200


@pytest.mark.parametrize("store", ["postgres", "rabbitmq"])
def test_a_server_that_another_authority_vouches_for_is_refused(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer, tmp_path: Path, store: str
) -> None:
    other = make_certificates(tmp_path)
    entry = shop.add_postgres(postgres_server) if store == "postgres" else shop.add_rabbitmq(rabbitmq_server)
    entry["ca_file"] = str(other.ca_file)
    found = shop.run("--patience", "60")
    assert (found.code, found.changes) == (1, [])
    assert "certificate" in found.problems[0]["reason"].lower()


@pytest.mark.parametrize("store", ["postgres", "rabbitmq"])
def test_a_server_under_another_name_is_refused(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer, store: str
) -> None:
    entry = shop.add_postgres(postgres_server) if store == "postgres" else shop.add_rabbitmq(rabbitmq_server)
    entry["host"] = "127.0.0.1"
    found = shop.run("--patience", "60")
    assert (found.code, found.changes) == (1, [])
    assert "127.0.0.1" in found.problems[0]["reason"]


def test_an_empty_plan_is_in_order(shop: Shop) -> None:
    assert (shop.run().code, shop.run().changes) == (0, [])


def test_nothing_secret_is_in_the_report_or_on_the_command_line(
    shop: Shop, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    shop.add_postgres(postgres_server)
    shop.add_rabbitmq(rabbitmq_server)
    run = shop.start()
    seen = Path(f"/proc/{run.pid}/cmdline").read_text() if Path("/proc").exists() else ""
    output, errors = run.communicate(timeout=60)
    assert run.returncode == 0
    for password in shop.passwords.values():
        for text in (seen, output, errors):
            assert password not in text
            assert json.dumps(password) not in text
    drop(shop, postgres_server)


@pytest.mark.timeout(600)
def test_many_databases_are_one_run(shop: Shop, postgres_server: PostgresServer, full_run: bool) -> None:
    count = 200 if full_run else 40
    store = shop.add_postgres(postgres_server, databases=1)
    store["databases"] += [
        {"name": shop.name(f"db{number}"), "owner": shop.name(f"owner{number}"), "roles": [
            {"name": name, "secret": shop.secret(name), "access": "runtime"},
        ]}
        for number, name in ((number, shop.name(f"role{number}")) for number in range(1, count))
    ]  # fmt: skip
    first = shop.run()
    assert (first.code, first.problems) == (0, [])
    assert (
        sum(action == "created" and subject.startswith("database ") for action, subject, _ in first.changes)
        == count
    )
    assert shop.run().changes == []
    drop(shop, postgres_server)
