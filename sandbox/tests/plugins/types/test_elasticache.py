"""ElastiCache types. Force-new properties:
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_replication_group
and its siblings.
"""

from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, reveal

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique
from sandbox.tests.plugins.types.facts import replacing
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused, Resource

SUBNET_GROUP = "aws:elasticache/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:elasticache/parameterGroup:ParameterGroup"
REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
USER = "aws:elasticache/user:User"
USER_GROUP = "aws:elasticache/userGroup:UserGroup"
ASSOCIATION = "aws:elasticache/userGroupAssociation:UserGroupAssociation"

FORCE_NEW = {
    SUBNET_GROUP: {"name"},
    PARAMETER_GROUP: {"name", "family", "description"},
    REPLICATION_GROUP: {
        "atRestEncryptionEnabled",
        "dataTieringEnabled",
        "globalReplicationGroupId",
        "kmsKeyId",
        "networkType",
        "port",
        "replicationGroupId",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    },
    USER: {"userId", "userName"},
    USER_GROUP: {"userGroupId"},
    ASSOCIATION: {"userGroupId", "userId", "region"},
}
UNREAD = frozenset({"applyImmediately", "finalSnapshotIdentifier", "preferredCacheClusterAzs"})
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def elasticache(emulator: RunningEmulator) -> Any:
    return emulator.client("elasticache")


@pytest.fixture(scope="module")
def subnet_group(engine: PlayedEngine, network: Network) -> Resource:
    return engine.resource(SUBNET_GROUP, "caches").create({"subnetIds": network.subnets})


@pytest.fixture
def users(engine: PlayedEngine) -> Resource:
    """A user group of the engine's default user."""
    name = unique("default")
    access = {"accessString": "off ~* -@all", "authenticationMode": {"type": "no-password-required"}}
    user = engine.resource(USER, name).create(
        {"userId": name, "userName": "default", "engine": "valkey", **access}
    )
    group = unique("group")
    return engine.resource(USER_GROUP, group).create(
        {"userGroupId": group, "engine": "valkey", "userIds": [user.id]}
    )


def described(elasticache: Any, group: str) -> dict[str, Any]:
    found = elasticache.describe_replication_groups(ReplicationGroupId=group)["ReplicationGroups"]
    return dict(found[0])


def log(kind: str, group: str, form: str = "json") -> dict[str, str]:
    return {
        "logType": kind,
        "destination": group,
        "destinationType": "cloudwatch-logs",
        "logFormat": form,
    }


@pytest.mark.parametrize("pulumi_type", FORCE_NEW)
def test_replacement_follows_terraform(pulumi_type: str) -> None:
    assert replacing(pulumi_type) == FORCE_NEW[pulumi_type]


def test_the_groups_live_and_die(engine: PlayedEngine, network: Network, elasticache: Any) -> None:
    program: dict[str, Any] = {"subnetIds": network.subnets, "tags": {"Name": "caches"}}
    group = engine.resource(SUBNET_GROUP, "Isolated").create(program)
    assert group.id == group.id.lower(), "ElastiCache keeps these names in lower case"
    group.assert_settled(program)
    smaller = {"subnetIds": network.subnets[:2], "description": "two zones"}
    group.update(smaller).assert_settled(smaller)
    group.delete()
    assert not group.refresh()

    program = {
        "family": "valkey8",
        "parameters": [
            {"name": "maxmemory-policy", "value": "volatile-lru"},
            {"name": "timeout", "value": "9"},
        ],
    }
    parameters = engine.resource(PARAMETER_GROUP, "tuned").create(program)
    parameters.assert_settled(program)
    changed = {"family": "valkey8", "parameters": [{"name": "timeout", "value": "10"}]}
    parameters.update(changed).assert_settled(changed)
    listed = elasticache.describe_cache_parameters(CacheParameterGroupName=parameters.id, Source="user")
    assert [(found["ParameterName"], found["ParameterValue"]) for found in listed["Parameters"]] == [
        ("timeout", "10")
    ]
    parameters.delete()
    assert not parameters.refresh()


def test_a_user_changes_access_and_password_and_never_tells_them(
    engine: PlayedEngine, elasticache: Any
) -> None:
    program: dict[str, Any] = {
        "userId": unique("user"),
        "userName": "user",
        "engine": "valkey",
        "accessString": "on ~session:* +@all -@admin",
        "authenticationMode": {"type": "password", "passwords": [Secret(PASSWORD)]},
    }
    user = engine.resource(USER, "user").create(program)
    user.assert_settled(program, unread=frozenset({"authenticationMode"}))
    readable = {name: value for name, value in user.state.items() if not isinstance(value, Secret)}
    assert PASSWORD not in str(reveal(readable))

    both = {"type": "password", "passwords": [Secret(PASSWORD), Secret("a-second-password")]}
    changed = {**program, "accessString": "on ~user:* +@all", "authenticationMode": both}
    assert user.diff(changed) == ({"accessString", "authenticationMode"}, set())
    user.update(changed)
    found = elasticache.describe_users(UserId=user.id)["Users"][0]
    assert found["AccessString"] == "on ~user:* +@all"
    assert found["Authentication"]["PasswordCount"] == 2
    user.delete()
    assert not user.refresh()


def test_a_user_group_follows_its_members(engine: PlayedEngine, users: Resource, elasticache: Any) -> None:
    joining = engine.resource(USER, "joining").create(
        {
            "userId": unique("joining"),
            "userName": "joining",
            "engine": "valkey",
            "accessString": "on ~* +@read",
            "passwords": [Secret(PASSWORD)],
        }
    )
    program = {**users.inputs, "userIds": [joining.id, *users.inputs["userIds"]]}
    assert users.diff(program) == ({"userIds"}, set())
    users.update(program).assert_settled(program)
    alone = {**program, "userIds": program["userIds"][1:]}
    users.update(alone).assert_settled(alone)

    pair = {"userGroupId": users.id, "userId": joining.id}
    association = engine.resource(ASSOCIATION, "joining").create(pair)
    assert association.id == f"{users.id},{joining.id}"
    association.assert_settled(pair)
    association.delete()
    assert not association.refresh()
    members = elasticache.describe_user_groups(UserGroupId=users.id)["UserGroups"][0]["UserIds"]
    assert members == alone["userIds"]


def test_a_production_group_settles_and_changes_in_place(  # one story, told in order
    engine: PlayedEngine, subnet_group: Resource, network: Network, users: Resource, emulator: RunningEmulator
) -> None:
    elasticache, logs = emulator.client("elasticache"), emulator.client("logs")
    for group in ("/cache/slow", "/cache/engine"):
        logs.create_log_group(logGroupName=group)
    program: dict[str, Any] = {
        "replicationGroupId": unique("cache"),
        "description": "sessions",
        "engine": "valkey",
        "engineVersion": "8.1",
        "nodeType": "cache.r7g.large",
        "port": 6379,
        "numCacheClusters": 3,
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "preferredCacheClusterAzs": ["us-east-1a", "us-east-1b", "us-east-1c"],
        "subnetGroupName": subnet_group.id,
        "securityGroupIds": [network.security_group],
        "atRestEncryptionEnabled": True,
        "transitEncryptionEnabled": True,
        "transitEncryptionMode": "required",
        "userGroupIds": [users.id],
        "snapshotRetentionLimit": 30,
        "snapshotWindow": "03:00-04:00",
        "maintenanceWindow": "Sun:05:00-Sun:06:00",
        "finalSnapshotIdentifier": unique("final"),
        "applyImmediately": True,
        "logDeliveryConfigurations": [log("slow-log", "/cache/slow"), log("engine-log", "/cache/engine")],
        "tags": {"Name": "cache"},
    }
    cache = engine.resource(REPLICATION_GROUP, "cache").create(program)
    assert len(cache.output("memberClusters")) == 3
    assert cache.output("primaryEndpointAddress") != cache.output("readerEndpointAddress")
    assert cache.output("engineVersionActual").startswith("8.1")
    cache.assert_settled(program, unread=UNREAD)
    swapped = {**program, "logDeliveryConfigurations": program["logDeliveryConfigurations"][::-1]}
    assert cache.diff(swapped) == (set(), set()), "the order of log deliveries means nothing"

    changed = {
        **program,
        "numCacheClusters": 2,
        "nodeType": "cache.r7g.xlarge",
        "logDeliveryConfigurations": [log("engine-log", "/cache/engine", "text")],
    }
    del changed["snapshotRetentionLimit"]
    differing = {"numCacheClusters", "nodeType", "logDeliveryConfigurations", "snapshotRetentionLimit"}
    assert cache.diff(changed) == (differing, set())
    cache.update(changed).assert_settled(changed, unread=UNREAD)
    found = described(elasticache, cache.id)
    assert (len(found["MemberClusters"]), found["CacheNodeType"]) == (2, "cache.r7g.xlarge")
    assert [
        (delivery["LogType"], delivery["LogFormat"]) for delivery in found["LogDeliveryConfigurations"]
    ] == [("engine-log", "text")]
    assert found["SnapshotRetentionLimit"] == 0

    elasticache.modify_replication_group(
        ReplicationGroupId=cache.id, PreferredMaintenanceWindow="mon:05:00-mon:06:00", ApplyImmediately=True
    )
    cache.refresh()
    assert cache.diff(changed) == ({"maintenanceWindow"}, set()), "what somebody changed is seen"
    cache.delete()
    assert not cache.refresh()
    snapshots = elasticache.describe_snapshots()["Snapshots"]
    assert program["finalSnapshotIdentifier"] in [snapshot["SnapshotName"] for snapshot in snapshots]


def test_replicas_of_every_shard_grow(engine: PlayedEngine, subnet_group: Resource) -> None:
    program = {
        "description": "shards",
        "engine": "valkey",
        "engineVersion": "8.1",
        "nodeType": "cache.r7g.large",
        "numNodeGroups": 2,
        "replicasPerNodeGroup": 1,
        "automaticFailoverEnabled": True,
        "clusterMode": "enabled",
        "subnetGroupName": subnet_group.id,
    }
    shards = engine.resource(REPLICATION_GROUP, "shards").create(program)
    shards.assert_settled(program)
    grown = {**program, "replicasPerNodeGroup": 2}
    assert shards.diff(grown) == ({"replicasPerNodeGroup"}, set())
    shards.update(grown).assert_settled(grown)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"authToken": "x" * 16, "userGroupIds": ["g"]}, "conflicts with"),
        ({"numCacheClusters": 2, "numNodeGroups": 2}, "conflicts with"),
        ({"nodeGroupConfigurations": [{"replicaCount": 1}]}, "shards that differ"),
        ({"transitEncryptionMode": "sometimes"}, "is not one of"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    engine: PlayedEngine, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        engine.resource(REPLICATION_GROUP, "wrong").check({"description": "d", **given})


def test_a_preview_foretells_endpoints_only_as_unknown(engine: PlayedEngine) -> None:
    program = {"description": "d", "engine": "valkey", "nodeType": "cache.r7g.large"}
    foretold = engine.resource(REPLICATION_GROUP, "foretold").preview(program)
    assert foretold["primaryEndpointAddress"] is UNKNOWN
    assert foretold["replicationGroupId"].startswith("foretold-")
