"""Users on the MongoDB wire. FerretDB proves logins; the roles are kept by the ledger in front of it."""

import pytest
from pymongo.errors import OperationFailure

from tests.stores.ferretdb import MongoServer
from tests.stores.shop import Shop

pytestmark = pytest.mark.mission_M23


@pytest.fixture
def cluster(shop: Shop, mongodb_server: MongoServer) -> Shop:
    """The shop's user."""
    shop.add_mongodb(mongodb_server)
    assert shop.run().code == 0
    return shop


def test_a_user_with_one_role_is_made_once(cluster: Shop, mongodb_server: MongoServer) -> None:
    user, database = cluster.name("users"), cluster.name("users")
    role = [{"role": "readWrite", "db": database}]
    assert mongodb_server.ledger.roles[user] == role
    assert mongodb_server.ledger.roles[user + "_clone"] == role
    with mongodb_server.connect(user, cluster.passwords[user]) as client:
        client[database].people.insert_one({"name": "Ada"})
        assert client[database].people.count_documents({}) == 1
    again = cluster.run()
    assert (again.code, again.changes, again.problems) == (0, [], [])


def test_a_changed_secret_changes_the_password(cluster: Shop, mongodb_server: MongoServer) -> None:
    user = cluster.name("users")
    old = cluster.passwords[user]
    cluster.secret(user, password="another-password")
    assert cluster.run().changes == [("updated", f"user {user}", "password from its secret")]
    with mongodb_server.connect(user, "another-password") as client:
        client.admin.command("ping")
    with mongodb_server.connect(user, old) as client, pytest.raises(OperationFailure, match="Authentication"):
        client.admin.command("ping")


def test_an_extra_role_is_taken_back(cluster: Shop, mongodb_server: MongoServer) -> None:
    user = cluster.name("users")
    mongodb_server.ledger.roles[user] = [*mongodb_server.ledger.roles[user], {"role": "root", "db": "admin"}]
    assert cluster.run().changes == [("revoked", f"user {user}", "root on admin")]
    assert mongodb_server.ledger.roles[user] == [{"role": "readWrite", "db": user}]
    mongodb_server.ledger.roles[user] = []
    assert cluster.run().changes == [("granted", f"user {user}", f"readWrite on {user}")]


def test_a_dry_run_says_what_a_run_then_does(shop: Shop, mongodb_server: MongoServer) -> None:
    shop.add_mongodb(mongodb_server)
    dry = shop.run("--dry-run")
    assert shop.name("users") not in mongodb_server.ledger.roles
    assert shop.run().changes == dry.changes


def test_two_runs_at_a_time_both_succeed(shop: Shop, mongodb_server: MongoServer) -> None:
    shop.add_mongodb(mongodb_server)
    runs = [shop.start() for _ in range(2)]
    for run in runs:
        output, errors = run.communicate(timeout=60)
        assert run.returncode == 0, output + errors
    assert shop.run().changes == []


def test_the_masters_wrong_password_is_named(shop: Shop, mongodb_server: MongoServer) -> None:
    shop.add_mongodb(mongodb_server)
    shop.secret("mongodb", mongodb_server.master, "wrong")
    found = shop.run()
    assert (found.code, found.problems[0]["subject"]) == (1, f"login {mongodb_server.master}")
