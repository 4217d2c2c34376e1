"""Valkey: a node a zone, TLS only, a user a service that reaches its own keys."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data.valkey import Valkey, ValkeyArgs
from components.data.valkey_access import access_string
from tests.unit.data import properties
from tests.unit.data.properties import CLIENTS, SUBNETS, VPC, ZONES, key
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M24

ARGS = ValkeyArgs(
    vpc_id=VPC,
    subnet_ids=SUBNETS,
    zones=ZONES,
    client_security_group_ids=CLIENTS,
    node_type="cache.m7g.large",
    data_key_arn=key("customer"),
    logs_key_arn=key("operations"),
    secrets_key_arn=key("secrets"),
    services={"user": ("session:", "user:"), "product": ("product:",)},
    protect=True,
)


@pytest.fixture(scope="module")
def stood_up() -> Deployment:
    def program() -> object:
        valkey = Valkey("valkey", ARGS)
        return {"nodes": valkey.node_ids, "targets": sorted(valkey.rotation_targets)}

    return deploy(program)


def test_house_rules_hold(stood_up: Deployment) -> None:
    properties.assert_tagged_with_its_name(stood_up)
    properties.assert_passwords_are_secret(stood_up)
    properties.assert_inside(stood_up, "cloudcommerce:data:Valkey")
    properties.assert_reached_by_groups_only(stood_up, {"sg-workloads"})


def test_a_node_stands_in_every_zone_and_one_takes_over(stood_up: Deployment) -> None:
    group = stood_up.one("ReplicationGroup").inputs

    assert group["numCacheClusters"] == len(ZONES)
    assert group["preferredCacheClusterAzs"] == list(ZONES)
    assert group["automaticFailoverEnabled"] is True
    assert group["multiAzEnabled"] is True
    assert stood_up.result["nodes"] == {
        letter: f"{group['replicationGroupId']}-00{number}" for number, letter in enumerate("abc", start=1)
    }


def test_everything_is_encrypted_with_the_customers_key(stood_up: Deployment) -> None:
    group = stood_up.one("ReplicationGroup").inputs

    assert group["kmsKeyId"] == key("customer")
    assert group["atRestEncryptionEnabled"] in (True, "true")
    assert group["transitEncryptionEnabled"] is True
    assert group["transitEncryptionMode"] == "required"
    assert {g.inputs["kmsKeyId"] for g in stood_up.all("LogGroup")} == {key("operations")}
    delivered = {c["logType"]: c["destination"] for c in group["logDeliveryConfigurations"]}
    assert set(delivered.values()) == {g.inputs["name"] for g in stood_up.all("LogGroup")}
    assert delivered.keys() == {"engine-log", "slow-log"}


@pytest.mark.mission_M50
def test_snapshots_are_kept_thirty_days_and_a_last_one_is_taken(stood_up: Deployment) -> None:
    group = stood_up.one("ReplicationGroup")

    assert group.inputs["snapshotRetentionLimit"] == 30
    assert group.inputs["finalSnapshotIdentifier"] == f"{group.inputs['replicationGroupId']}-final"
    assert group.protect
    assert "engineVersion" in group.ignore_changes


def test_only_keys_that_expire_are_evicted(stood_up: Deployment) -> None:
    group = stood_up.one("ParameterGroup").inputs

    assert group["family"] == "valkey8"
    assert {"name": "maxmemory-policy", "value": "volatile-lru"} in group["parameters"]


def test_each_service_is_a_user_and_the_default_user_is_off(stood_up: Deployment) -> None:
    users = {u.inputs["userName"]: u for u in stood_up.all("aws:elasticache/user:User")}

    assert users.keys() == {"default", "user_service", "product_service"}
    assert users["default"].inputs["accessString"] == "off -@all"
    assert "noPasswordRequired" not in users["default"].inputs
    assert stood_up.one("UserGroup").inputs["userIds"][0] == users["default"].inputs["userId"]
    assert len(stood_up.one("UserGroup").inputs["userIds"]) == len(users)
    for user in users.values():
        assert user.inputs["engine"] == "valkey"
        assert user.ignore_changes == ("authenticationMode",)
        assert len(user.inputs["userId"]) <= 40


def test_rotation_is_offered_every_service_and_not_the_default_user(stood_up: Deployment) -> None:
    assert stood_up.result["targets"] == ["valkey-product", "valkey-user"]
    value = properties.secret_value(stood_up, "valkey-user")
    user = stood_up.named("valkey-user-user").inputs
    assert value["resource_id"] == user["userId"]
    assert value["username"] == user["userName"]
    assert [value["password"]] == user["authenticationMode"]["passwords"]
    assert value["host"] == stood_up.one("ReplicationGroup").outputs["primaryEndpointAddress"]


def test_a_service_reaches_its_own_keys_and_channels_and_nothing_dangerous() -> None:
    access = access_string(("session:", "user:")).split()

    assert access[0] == "on"
    assert [rule for rule in access if rule[0] == "~"] == ["~session:*", "~user:*"]
    assert [rule for rule in access if rule[0] == "&"] == ["&session:*", "&user:*"]
    assert access.index("resetchannels") < access.index("&session:*")
    assert access.index("-@all") < access.index("+@read") < access.index("-@dangerous")
    assert not {"+@all", "+@admin", "~*", "&*", "allkeys", "allchannels", "nopass"} & set(access)


@pytest.mark.parametrize("prefix", ["*", "", ":", "user", "user:*", "User:", "a b:", "user: ~*", "~*:", "ü:"])
def test_a_prefix_that_could_open_others_keys_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="write it like 'cart:'"):
        access_string((prefix,))


@given(st.lists(st.text(max_size=12), min_size=1, max_size=3))
def test_no_prefix_smuggles_a_rule_in(prefixes: list[str]) -> None:
    try:
        access = access_string(prefixes)
    except ValueError:
        return
    assert len(access.split()) == len(access_string(("a:",)).split()) + 2 * (len(prefixes) - 1)


def test_a_user_without_prefixes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        access_string(())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zones": ("us-east-1a",)}, "automatic failover needs 2"),
        ({"snapshot_retention_days": 0}, "AWS takes 1 to 35"),
    ],
)
def test_arguments_without_a_failover_or_a_backup_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ARGS, **change)
