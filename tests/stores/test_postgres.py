"""PostgreSQL after the bootstrap, seen by the services' own roles on a real server."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from tests.stores.postgres import PostgresServer
from tests.stores.shop import Shop

pytestmark = pytest.mark.mission_M22


@pytest.fixture
def shop_with_tables(shop: Shop, postgres_server: PostgresServer) -> Iterator[Shop]:
    """Both databases bootstrapped, with a table made by the migration role of each."""
    shop.add_postgres(postgres_server)
    assert shop.run().code == 0
    for database in ("orders", "products"):
        with shop.connect(postgres_server, f"{database}_migration", database) as connection:
            connection.execute("create table item (id serial primary key, name text)")
            connection.execute("create function shout(t text) returns text language sql return upper(t)")
    yield shop
    drop(shop, postgres_server)


def drop(shop: Shop, server: PostgresServer) -> None:
    """Leave the shared server as it was."""
    with server.connect_as_superuser() as connection:
        for database in shop.plan["postgres"][0]["databases"]:
            connection.execute(f'drop database if exists "{database["name"]}" with (force)'.encode())
        roles = connection.execute(
            "select rolname from pg_roles where rolname like %s", [f"{shop.namespace}%"]
        )
        for (role,) in roles.fetchall():
            connection.execute(f'drop owned by "{role}"; drop role "{role}"'.encode())


def test_a_second_run_changes_nothing(shop_with_tables: Shop) -> None:
    again = shop_with_tables.run()
    assert (again.code, again.changes, again.problems) == (0, [], [])


def test_the_runtime_role_reads_and_writes_rows(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    with shop_with_tables.connect(postgres_server, "orders_runtime") as connection:
        connection.execute("insert into item (name) values ('a')")
        connection.execute("update item set name = shout(name)")
        assert connection.execute("select id, name from item").fetchall() == [(1, "A")]
        assert connection.execute("select similarity('abc', 'abd') > 0").fetchone() == (True,)
        assert connection.execute("delete from item").rowcount == 1


_REFUSED_TO_RUNTIME = (
    "drop table item",
    "truncate item",
    "alter table item add column extra text",
    "create table app.mine (id int)",
    "create table public.mine (id int)",
    "create table extensions.mine (id int)",
    "create temporary table mine (id int)",
    "create schema mine",
    "create extension pgcrypto",
    "create role mine",
    "create database mine",
    "set role {owner}",
    "set role {master}",
    "set session authorization {superuser}",
    "alter role {runtime} superuser",
    "alter role {runtime} createdb",
    "alter default privileges for role {owner} grant all on tables to {runtime}",
    "copy item to program 'true'",
    "select pg_read_file('/etc/passwd')",
    "select rolpassword from pg_authid",
    "alter system set log_statement to 'none'",
    "drop database {database}",
    "alter database {database} owner to {runtime}",
    "create or replace function app.shout(t text) returns text language sql return t",
    "create trigger spy before insert on item execute function suppress_redundant_updates_trigger()",
)


def test_the_runtime_role_defines_and_escalates_nothing(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    names = {
        "owner": shop_with_tables.name("orders_owner"), "runtime": shop_with_tables.name("orders_runtime"),
        "reader": shop_with_tables.name("orders_reader"), "database": shop_with_tables.name("orders"),
        "master": postgres_server.master, "superuser": postgres_server.superuser,
    }  # fmt: skip
    with shop_with_tables.connect(postgres_server, "orders_runtime") as connection:
        for statement in _REFUSED_TO_RUNTIME:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.format(**names).encode())
        # A grant without the right to grant only warns, so look at what it left.
        acl = "select relacl::text from pg_class where relname = 'item'"
        before = connection.execute(acl).fetchone()
        connection.execute("grant all on item to public")
        assert connection.execute(acl).fetchone() == before


def test_the_migration_role_defines_in_its_schema_only(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    with shop_with_tables.connect(postgres_server, "orders_migration") as connection:
        connection.execute("create table later (id int generated always as identity, name text)")
        connection.execute("alter table item add column price int")
        owner = connection.execute("select tableowner from pg_tables where tablename = 'later'").fetchone()
        assert owner == (shop_with_tables.name("orders_owner"),)
        for refused in (
            "create table public.mine (id int)", "create schema mine", "create role mine",
            "create database mine", f"drop database {shop_with_tables.name('orders')}",
            f"set role {postgres_server.master}", "create extension pgcrypto",
            "create table extensions.mine (id int)",
        ):  # fmt: skip
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(refused.encode())
    with shop_with_tables.connect(postgres_server, "orders_runtime") as connection:
        connection.execute("insert into later (name) values ('new tables are usable at once')")
    assert shop_with_tables.run().changes == []


def test_the_reader_only_reads(shop_with_tables: Shop, postgres_server: PostgresServer) -> None:
    with shop_with_tables.connect(postgres_server, "orders_reader") as connection:
        assert connection.execute("select count(*) from item").fetchone() == (0,)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("insert into item (name) values ('x')")
        connection.execute("set default_transaction_read_only to off")
        for refused in ("insert into item (name) values ('x')", "delete from item",
                        "select nextval('item_id_seq')", "select shout('x')",
                        "create table app.mine (id int)"):  # fmt: skip
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(refused.encode())


def test_no_role_enters_another_database(shop_with_tables: Shop, postgres_server: PostgresServer) -> None:
    for role in map(shop_with_tables.name, ("orders_runtime", "orders_migration", "orders_reader")):
        for database in (shop_with_tables.name("products"), "postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                postgres_server.connect(role, shop_with_tables.passwords[role], database)


def test_sessions_start_with_their_limits(shop_with_tables: Shop, postgres_server: PostgresServer) -> None:
    with shop_with_tables.connect(postgres_server, "orders_runtime") as connection:
        settings = {
            name: connection.execute(f"show {name}".encode()).fetchone()
            for name in (
                "search_path",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "lock_timeout",
            )
        }
    assert settings == {
        "search_path": ("app, extensions",), "statement_timeout": ("30s",),
        "idle_in_transaction_session_timeout": ("1min",), "lock_timeout": ("10s",),
    }  # fmt: skip
    held = [shop_with_tables.connect(postgres_server, "orders_runtime") for _ in range(5)]
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        shop_with_tables.connect(postgres_server, "orders_runtime")
    # A full pool must not be taken for a wrong password.
    assert shop_with_tables.run().changes == []
    for connection in held:
        connection.close()


def test_owner_roles_cannot_log_in_and_clones_wait_without_password(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    with postgres_server.connect_as_superuser() as connection:
        closed = connection.execute(
            "select rolname, rolcanlogin, rolpassword is null from pg_authid where rolname = any(%s)"
            " order by 1",
            [[shop_with_tables.name("orders_owner"), shop_with_tables.name("orders_runtime_clone")]],
        ).fetchall()
    assert closed == [
        (shop_with_tables.name("orders_owner"), False, True),
        (shop_with_tables.name("orders_runtime_clone"), True, True),
    ]


def test_a_changed_secret_changes_the_password(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    role = shop_with_tables.name("orders_runtime")
    old = shop_with_tables.passwords[role]
    shop_with_tables.secret(role, password="another-password-ünï")
    changed = shop_with_tables.run()
    assert changed.changes == [("updated", f"role {role}", "password from its secret")]
    shop_with_tables.connect(postgres_server, "orders_runtime").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgres_server.connect(role, old, shop_with_tables.name("orders"))


# What somebody did by hand -> the first words of the report's row and where it was done. `{x}` are the shop's
# names.
_DRIFT = {
    "grant create on schema app to {orders_runtime}": "CREATE from",
    "grant all on schema public to public": "CREATE, USAGE from everyone",
    "grant truncate on app.item to {orders_runtime}": "TRUNCATE from",
    "grant select on app.item to {orders_runtime} with grant option": "SELECT from",
    "grant update (name) on app.item to {orders_reader}": "UPDATE from",
    "grant select on app.item to public": "SELECT from everyone",
    "grant execute on function app.shout to public": "EXECUTE from everyone",
    "grant update on sequence app.item_id_seq to {orders_reader}": "UPDATE from",
    "grant connect on database {orders} to {products_runtime}": "CONNECT from",
    "grant connect, temporary on database {orders} to public": "CONNECT, TEMPORARY from everyone",
    "grant connect on database postgres to {orders_runtime}": "CONNECT from",
    "grant connect on database postgres to public": "CONNECT from everyone",
    "grant {orders_owner} to {orders_runtime}": "membership in",
    "grant {products_owner} to {orders_owner}": "membership in",
    "alter role {orders_runtime} createdb createrole": "nocreatedb, nocreaterole",
    "alter role {orders_owner} login": "nologin",
    "alter role {orders_runtime} connection limit -1": "connection limit 5",
    "alter role {orders_runtime} valid until '2001-01-01'": "valid until 'infinity'",
    "alter role {orders_runtime} set search_path to public": "setting search_path",
    "alter role {orders_runtime} in database {orders} set statement_timeout to 0":
        "setting statement_timeout",
    "alter role {orders_runtime} in database {products} set work_mem to '1GB'": "setting work_mem",
    "set role {orders_owner};"
    " alter default privileges in schema app grant all on tables to {products_runtime}":
        "DELETE, INSERT",
    "set role {orders_owner}; alter default privileges grant execute on functions to public":
        "EXECUTE from everyone",
}  # fmt: skip


@pytest.mark.parametrize("statement", _DRIFT)
def test_drift_is_taken_back_and_reported(
    shop_with_tables: Shop, postgres_server: PostgresServer, statement: str
) -> None:
    shop, server = shop_with_tables, postgres_server
    shorts = [f"{d}_{r}" for d in ("orders", "products") for r in ("owner", "runtime", "reader")]
    names = {short: shop.name(short) for short in ["orders", "products", *shorts]}
    as_master = server.connect(server.master, server.master_password, shop.name("orders"))
    with as_master, shop.connect(server, "orders_migration") as as_owner:
        # Inside the schema only the owner role can grant; everything else is the master's to spoil.
        actor = as_owner if " app" in statement and not statement.startswith("set role") else as_master
        actor.execute(statement.format(**names).encode())
    found = shop.run()
    assert found.problems == []
    details = [detail for action, _, detail in found.changes if action in {"revoked", "updated"}]
    assert any(detail.startswith(_DRIFT[statement]) for detail in details), found.changes
    assert shop.run().changes == []


def test_powers_that_only_aws_can_take_back_are_named(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    role = shop_with_tables.name("orders_runtime")
    with postgres_server.connect_as_superuser() as connection:
        connection.execute(f"alter role {role} superuser".encode())
    found = shop_with_tables.run()
    assert found.code == 1
    assert [problem["subject"] for problem in found.problems] == [f"role {role}"]
    assert found.problems[0]["remedy"]
    with postgres_server.connect_as_superuser() as connection:
        connection.execute(f"alter role {role} nosuperuser".encode())
    assert shop_with_tables.run().code == 0


def test_a_grant_that_the_master_cannot_revoke_is_a_problem_not_a_success(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    member, group = shop_with_tables.name("orders_runtime"), shop_with_tables.name("products_owner")
    with postgres_server.connect_as_superuser() as connection:
        connection.execute(f"grant {group} to {member}".encode())
    if postgres_major(postgres_server) < 16:
        assert shop_with_tables.run().code == 0
        return
    found = shop_with_tables.run()
    assert found.code == 1
    assert any(member in problem["subject"] for problem in found.problems)


def postgres_major(server: PostgresServer) -> int:
    with server.connect_as_superuser() as connection:
        return connection.info.server_version // 10000


def test_a_foreign_table_in_the_schema_is_a_problem(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    with postgres_server.connect_as_superuser(shop_with_tables.name("orders")) as connection:
        connection.execute("create table app.intruder (id int)")
    found = shop_with_tables.run()
    assert found.code == 1
    assert "app.intruder" in found.problems[0]["subject"]


def test_a_database_of_somebody_else_is_not_touched(shop: Shop, postgres_server: PostgresServer) -> None:
    shop.add_postgres(postgres_server)
    with postgres_server.connect_as_superuser() as connection:
        connection.execute(f"create database {shop.name('orders')}".encode())
    found = shop.run()
    assert found.code == 1
    assert found.problems[0]["reason"] == "belongs to rdsadmin, not to the master"
    # The other database has got its due.
    shop.connect(postgres_server, "products_runtime", "products").close()
    drop(shop, postgres_server)


def test_a_dry_run_says_what_a_run_then_does(shop: Shop, postgres_server: PostgresServer) -> None:
    shop.add_postgres(postgres_server)
    dry = shop.run("--dry-run")
    assert dry.code == 0
    with postgres_server.connect_as_superuser() as connection:
        found = connection.execute(
            "select rolname from pg_roles where rolname like %s", [f"{shop.namespace}%"]
        )
        assert found.fetchall() == []
    wet = shop.run()
    assert wet.code == 0
    assert sorted(dry.changes) == sorted(wet.changes)
    assert shop.run("--dry-run").changes == []
    drop(shop, postgres_server)


def test_no_clear_password_reaches_the_server_log(
    shop_with_tables: Shop, postgres_server: PostgresServer
) -> None:
    role = shop_with_tables.name("orders_runtime")
    before = len(postgres_server.log.read_text())
    shop_with_tables.secret(role, password="find-me-in-the-log")
    assert shop_with_tables.run().code == 0
    log = postgres_server.log.read_text()[before:]
    assert f'ALTER ROLE "{role}" PASSWORD' in log, "the server must log statements, else this shows nothing"
    for password in shop_with_tables.passwords.values():
        assert password not in log
        assert password.replace("'", "''") not in log
