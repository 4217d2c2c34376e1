"""What a plan may say, and how it is told what it may not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.bootstrap.errors import PlanError
from operations.bootstrap.plan import Plan
from operations.bootstrap.plan_file import parse_plan

_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"


def plan_with(**changes: Any) -> dict[str, Any]:
    """A plan with one PostgreSQL role; changes go to the role, or to the place that a dotted key names."""
    role = {"name": "orders_runtime", "secret": _ARN + "orders", "access": "runtime"}
    database = {"name": "orders", "owner": "orders_owner", "roles": [role]}
    store = {
        "name": "postgres",
        "host": "db.example.com",
        "master_secret": _ARN + "master",
        "databases": [database],
    }
    places: dict[str, dict[str, Any]] = {"role": role, "database": database, "store": store}
    for key, value in changes.items():
        place, field = key.split("__")
        places[place][field] = value
    return {"version": 1, "postgres": [store]}


def parse(content: dict[str, Any]) -> Plan:
    return parse_plan(json.dumps(content))


def test_json_and_yaml_mean_the_same() -> None:
    text = (
        f"version: 1\nca_file: /etc/ca.pem\nrabbitmq:\n- {{name: mq, host: mq, master_secret: '{_ARN}m'}}\n"
    )
    store = {"name": "mq", "host": "mq", "master_secret": _ARN + "m"}
    assert parse_plan(text) == parse({"ca_file": "/etc/ca.pem", "rabbitmq": [store]})


@pytest.mark.parametrize("text", ["", "[]", "- a", "just words", "{not json", "a: [", "\x00"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        parse_plan(text)


@pytest.mark.parametrize(
    "name",
    ["", "Orders", "1orders", "orders-db", 'a"; drop table x; --', "a'b", "ä", "a b", "a\n", "x" * 58,
     "postgres", "public", "template1", "rdsadmin", "rds_superuser", "pg_monitor", "current_user", "none",
     "$user", "a%s", "../x"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["role__name", "database__name", "database__owner", "database__schema"])
def test_hostile_and_reserved_names_are_refused(place: str, name: str) -> None:
    with pytest.raises(PlanError, match=place.split("__")[1]):
        parse(plan_with(**{place: name}))


@given(st.text(max_size=80))
def test_every_accepted_name_needs_no_quoting(name: str) -> None:
    try:
        plan = parse(plan_with(database__name=name))
    except PlanError:
        return
    accepted = plan.postgres[0].databases[0].name
    assert accepted == name
    assert accepted.isascii()
    assert accepted.isidentifier()
    assert accepted == accepted.lower()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"store__host": "db.example.com sslmode=disable"}, "postgres.0.host"),
        ({"store__sslmode": "require"}, "verify-full"),
        ({"store__port": 0}, "postgres.0.port"),
        ({"role__secret": "not-an-arn"}, "roles.0.secret"),
        ({"role__access": "admin"}, "'runtime', 'migration' or 'reader'"),
        ({"role__connection_limit": 0}, "connection_limit"),
        ({"role__statement_timeout_ms": -1}, "statement_timeout_ms"),
        ({"role__password": "hunter2"}, "password: Extra inputs are not permitted"),
        ({"database__schema": "extensions"}, "where extensions go"),
        ({"database__owner": "orders_runtime"}, "'orders_runtime' appears more than once"),
        ({"database__owner": "orders_runtime_clone"}, "'orders_runtime_clone' appears more than once"),
        ({"role__secret": _ARN + "master"}, "secret"),
    ],
)
def test_a_wrong_plan_is_told_where_and_what(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse(plan_with(**changes))
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_password_in_place_of_an_arn_is_not_repeated() -> None:
    with pytest.raises(PlanError) as refused:
        parse(plan_with(role__secret="hunter2"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "accepted"),
    [
        ("^$", True), ("^orders$", True), (r"^orders\..*$", True), ("^(a|b)$", True), ("^[a|b]$", True),
        (r"^a\|b$", True), ("orders", False), (".*", False), ("^orders", False), ("orders$", False),
        ("^a$|^b$", False), ("^a|b$", False), ("^(a|b)|c$", False), ("^($", False), ("^[$", False),
    ],
)  # fmt: skip
def test_permissions_must_bind_the_whole_name(pattern: str, accepted: bool) -> None:
    user = {"name": "orders", "secret": _ARN + "u", "permissions": [{"vhost": "shop", "read": pattern}]}
    store = {
        "name": "mq",
        "host": "mq",
        "master_secret": _ARN + "m",
        "vhosts": [{"name": "shop"}],
        "users": [user],
    }
    if accepted:
        parse({"rabbitmq": [store]})
    else:
        with pytest.raises(PlanError, match="permission"):
            parse({"rabbitmq": [store]})


def test_a_permission_needs_its_vhost_in_the_plan() -> None:
    user = {"name": "orders", "secret": _ARN + "u", "permissions": [{"vhost": "elsewhere"}]}
    store = {"name": "mq", "host": "mq", "master_secret": _ARN + "m", "users": [user]}
    with pytest.raises(PlanError, match="'elsewhere': not in the plan"):
        parse({"rabbitmq": [store]})


def test_two_hundred_databases_are_no_trouble() -> None:
    content = plan_with()
    content["postgres"][0]["databases"] = [{"name": f"d{n}", "owner": f"o{n}"} for n in range(200)]
    assert len(parse(content).postgres[0].databases) == 200
