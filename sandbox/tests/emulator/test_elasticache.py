from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network, unique

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def network(emulator: RunningEmulator) -> Network:
    return make_network(emulator)


@pytest.fixture(scope="module")
def cache(emulator: RunningEmulator) -> Any:
    return emulator.client("elasticache")


@pytest.fixture
def subnet_group(cache: Any, network: Network) -> str:
    name = unique("group")
    cache.create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    return name


@pytest.fixture
def user(cache: Any) -> str:
    name = unique("user")
    cache.create_user(
        UserId=name, UserName=name, Engine="valkey", Passwords=[PASSWORD], AccessString="on ~session:* +@all"
    )
    return name


def refused(operation: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        operation(**arguments)
    return str(error.value.response["Error"]["Code"])


def create(cache: Any, subnet_group: str, **overrides: Any) -> dict[str, Any]:
    arguments = {
        "ReplicationGroupId": unique("sessions"),
        "ReplicationGroupDescription": "sessions",
        "Engine": "valkey",
        "EngineVersion": "8.0",
        "CacheNodeType": "cache.r7g.large",
        "NumCacheClusters": 3,
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
        "CacheSubnetGroupName": subnet_group,
        "TransitEncryptionEnabled": True,
        "AtRestEncryptionEnabled": True,
        **overrides,
    }
    return dict(cache.create_replication_group(**arguments)["ReplicationGroup"])


def test_a_replication_group_reads_back_over_three_zones(
    cache: Any, network: Network, subnet_group: str, user: str, emulator: RunningEmulator
) -> None:
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    users = unique("users")
    cache.create_user_group(UserGroupId=users, Engine="valkey", UserIds=[user])
    group = create(
        cache,
        subnet_group,
        KmsKeyId=key,
        UserGroupIds=[users],
        SecurityGroupIds=[network.security_group],
        SnapshotRetentionLimit=30,
        SnapshotWindow="03:00-04:00",
        PreferredMaintenanceWindow="sun:05:00-sun:06:00",
        LogDeliveryConfigurations=[
            {
                "LogType": "slow-log",
                "LogFormat": "json",
                "DestinationType": "cloudwatch-logs",
                "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/cache"}},
            }
        ],
    )
    name = group["ReplicationGroupId"]
    read = cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    assert read["MemberClusters"] == [f"{name}-00{i}" for i in (1, 2, 3)]
    node_group = read["NodeGroups"][0]
    assert node_group["PrimaryEndpoint"]["Port"] == node_group["ReaderEndpoint"]["Port"] == 6379
    assert node_group["PrimaryEndpoint"]["Address"] != node_group["ReaderEndpoint"]["Address"]
    members = node_group["NodeGroupMembers"]
    assert {m["PreferredAvailabilityZone"] for m in members} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert [m["CurrentRole"] for m in members] == ["primary", "replica", "replica"]
    assert (read["AutomaticFailover"], read["MultiAZ"]) == ("enabled", "enabled")
    assert (read["TransitEncryptionEnabled"], read["TransitEncryptionMode"]) == (True, "required")
    assert (read["AtRestEncryptionEnabled"], read["KmsKeyId"]) == (True, key)
    assert read["UserGroupIds"] == [users]
    assert (read["SnapshotRetentionLimit"], read["SnapshotWindow"]) == (30, "03:00-04:00")
    assert read["LogDeliveryConfigurations"][0]["DestinationDetails"]["CloudWatchLogsDetails"] == {
        "LogGroup": "/cache"
    }
    cluster = cache.describe_cache_clusters(CacheClusterId=f"{name}-001", ShowCacheNodeInfo=True)
    member = cluster["CacheClusters"][0]
    assert (member["Engine"], member["EngineVersion"]) == ("valkey", "8.0")
    assert member["CacheParameterGroup"]["CacheParameterGroupName"] == "default.valkey8"
    assert member["CacheSubnetGroupName"] == subnet_group
    assert member["SecurityGroups"][0]["SecurityGroupId"] == network.security_group
    assert member["PreferredMaintenanceWindow"] == "sun:05:00-sun:06:00"
    assert member["CacheNodes"][0]["Endpoint"]["Port"] == 6379


def test_a_replication_group_is_modified(cache: Any, subnet_group: str, user: str) -> None:
    first, second, parameters = unique("users"), unique("users"), unique("parameters")
    for users in (first, second):
        cache.create_user_group(UserGroupId=users, Engine="valkey", UserIds=[user])
    cache.create_cache_parameter_group(
        CacheParameterGroupName=parameters, CacheParameterGroupFamily="valkey8", Description="d"
    )
    name = create(cache, subnet_group, UserGroupIds=[first])["ReplicationGroupId"]
    cache.modify_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription="changed",
        UserGroupIdsToAdd=[second],
        UserGroupIdsToRemove=[first],
        CacheParameterGroupName=parameters,
        SnapshotRetentionLimit=7,
        CacheNodeType="cache.r7g.xlarge",
        EngineVersion="8.1",
        LogDeliveryConfigurations=[
            {
                "LogType": "engine-log",
                "LogFormat": "text",
                "DestinationType": "cloudwatch-logs",
                "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/engine"}},
            }
        ],
        ApplyImmediately=True,
    )
    read = cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    assert (read["Description"], read["UserGroupIds"]) == ("changed", [second])
    assert (read["SnapshotRetentionLimit"], read["CacheNodeType"]) == (7, "cache.r7g.xlarge")
    assert [c["LogType"] for c in read["LogDeliveryConfigurations"]] == ["engine-log"]
    member = cache.describe_cache_clusters(CacheClusterId=f"{name}-002")["CacheClusters"][0]
    assert member["EngineVersion"] == "8.1"
    assert member["CacheParameterGroup"]["CacheParameterGroupName"] == parameters
    assert refused(cache.delete_cache_parameter_group, CacheParameterGroupName=parameters) == (
        "InvalidCacheParameterGroupState"
    )
    assert refused(cache.delete_user_group, UserGroupId=second) == "InvalidUserGroupState"
    assert refused(cache.delete_cache_subnet_group, CacheSubnetGroupName=subnet_group) == (
        "CacheSubnetGroupInUse"
    )


def test_replicas_come_and_go(cache: Any, subnet_group: str) -> None:
    name = create(cache, subnet_group, NumCacheClusters=2)["ReplicationGroupId"]
    cache.increase_replica_count(ReplicationGroupId=name, NewReplicaCount=2, ApplyImmediately=True)
    read = cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    members = read["NodeGroups"][0]["NodeGroupMembers"]
    assert len({m["PreferredAvailabilityZone"] for m in members}) == 3
    assert members[2]["ReadEndpoint"]["Address"].startswith(f"{name}-003.")
    cache.decrease_replica_count(ReplicationGroupId=name, NewReplicaCount=1, ApplyImmediately=True)
    read = cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    assert read["MemberClusters"] == [f"{name}-001", f"{name}-002"]


def test_a_deleted_group_frees_its_name_and_leaves_its_last_snapshot(
    cache: Any, subnet_group: str, emulator: RunningEmulator
) -> None:
    name, snapshot = create(cache, subnet_group)["ReplicationGroupId"], unique("last")
    assert refused(
        cache.create_replication_group, ReplicationGroupId=name, ReplicationGroupDescription="again"
    ) == ("ReplicationGroupAlreadyExists")
    cache.delete_replication_group(ReplicationGroupId=name, FinalSnapshotIdentifier=snapshot)
    assert refused(cache.describe_replication_groups, ReplicationGroupId=name) == (
        "ReplicationGroupNotFoundFault"
    )
    assert {i for i in emulator.inventory() if name in i[2] or snapshot in i[2]} == {
        ("elasticache", "snapshot", snapshot)
    }
    create(cache, subnet_group, ReplicationGroupId=name)


def test_parameter_groups(cache: Any) -> None:
    name = unique("parameters")
    arguments = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": "valkey8",
        "Description": "sessions",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    arn = cache.create_cache_parameter_group(**arguments)["CacheParameterGroup"]["ARN"]
    assert refused(cache.create_cache_parameter_group, **arguments) == "CacheParameterGroupAlreadyExists"
    cache.modify_cache_parameter_group(
        CacheParameterGroupName=name,
        ParameterNameValues=[
            {"ParameterName": "maxmemory-policy", "ParameterValue": "volatile-lru"},
            {"ParameterName": "timeout", "ParameterValue": "300"},
        ],
    )
    user = cache.describe_cache_parameters(CacheParameterGroupName=name, Source="user")["Parameters"]
    assert {p["ParameterName"]: p["ParameterValue"] for p in user} == {
        "maxmemory-policy": "volatile-lru",
        "timeout": "300",
    }
    cache.reset_cache_parameter_group(
        CacheParameterGroupName=name,
        ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "300"}],
    )
    user = cache.describe_cache_parameters(CacheParameterGroupName=name, Source="user")["Parameters"]
    assert [p["ParameterName"] for p in user] == ["maxmemory-policy"]
    assert cache.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "a", "Value": "b"}]
    cache.delete_cache_parameter_group(CacheParameterGroupName=name)
    assert refused(cache.describe_cache_parameter_groups, CacheParameterGroupName=name) == (
        "CacheParameterGroupNotFound"
    )
    assert refused(cache.delete_cache_parameter_group, CacheParameterGroupName="default.valkey8") == (
        "InvalidCacheParameterGroupState"
    )
    default = cache.describe_cache_parameter_groups(CacheParameterGroupName="default.valkey8")
    assert default["CacheParameterGroups"][0]["CacheParameterGroupFamily"] == "valkey8"


def test_users_and_groups(cache: Any, user: str) -> None:
    group = unique("users")
    cache.create_user_group(
        UserGroupId=group, Engine="valkey", UserIds=[user], Tags=[{"Key": "a", "Value": "b"}]
    )
    assert (
        refused(cache.create_user_group, UserGroupId=group, Engine="valkey", UserIds=[user])
        == "UserGroupAlreadyExists"
    )
    assert cache.describe_users(UserId=user)["Users"][0]["UserGroupIds"] == [group]
    cache.modify_user(
        UserId=user,
        AccessString="on ~cart:* +@read",
        AuthenticationMode={"Type": "password", "Passwords": [PASSWORD, PASSWORD + "2"]},
    )
    read = cache.describe_users(UserId=user)["Users"][0]
    assert read["AccessString"] == "on ~cart:* +@read"
    assert read["Authentication"] == {"Type": "password", "PasswordCount": 2}
    cache.modify_user(UserId=user, AuthenticationMode={"Type": "iam"})
    assert cache.describe_users(UserId=user)["Users"][0]["Authentication"]["Type"] == "iam"
    other = unique("user")
    cache.create_user(
        UserId=other, UserName=other, Engine="valkey", Passwords=[PASSWORD], AccessString="on ~* +@all"
    )
    cache.modify_user_group(UserGroupId=group, UserIdsToAdd=[other], UserIdsToRemove=[user])
    assert cache.describe_user_groups(UserGroupId=group)["UserGroups"][0]["UserIds"] == [other]
    cache.delete_user(UserId=other)
    assert cache.describe_user_groups(UserGroupId=group)["UserGroups"][0]["UserIds"] == []
    assert refused(cache.describe_users, UserId=other) == "UserNotFound"
    cache.delete_user_group(UserGroupId=group)
    assert refused(cache.describe_user_groups, UserGroupId=group) == "UserGroupNotFound"
    assert refused(cache.modify_user, UserId="absent", AccessString="on") == "UserNotFound"


@pytest.mark.parametrize(
    ("engine", "users", "expected"),
    [("redis", ["own"], "DefaultUserRequired"), ("valkey", ["absent"], "UserNotFound")],
)
def test_user_groups_of_the_wrong_users(cache: Any, engine: str, users: list[str], expected: str) -> None:
    if users == ["own"]:
        users = [unique("user")]
        cache.create_user(
            UserId=users[0], UserName="own", Engine=engine, Passwords=[PASSWORD], AccessString="on ~* +@all"
        )
    assert refused(cache.create_user_group, UserGroupId=unique("g"), Engine=engine, UserIds=users) == expected


def test_subnet_groups(cache: Any, network: Network, subnet_group: str) -> None:
    cache.modify_cache_subnet_group(
        CacheSubnetGroupName=subnet_group, CacheSubnetGroupDescription="new", SubnetIds=network.subnets[:2]
    )
    read = cache.describe_cache_subnet_groups(CacheSubnetGroupName=subnet_group)["CacheSubnetGroups"][0]
    assert read["CacheSubnetGroupDescription"] == "new"
    assert [s["SubnetIdentifier"] for s in read["Subnets"]] == network.subnets[:2]
    assert refused(
        cache.modify_cache_subnet_group, CacheSubnetGroupName=subnet_group, SubnetIds=["subnet-0"]
    ) == ("InvalidSubnet")
    cache.delete_cache_subnet_group(CacheSubnetGroupName=subnet_group)
    assert refused(cache.delete_cache_subnet_group, CacheSubnetGroupName=subnet_group) == (
        "CacheSubnetGroupNotFoundFault"
    )


def test_references_to_nothing(cache: Any, subnet_group: str) -> None:
    assert refused(cache.modify_replication_group, ReplicationGroupId="absent") == (
        "ReplicationGroupNotFoundFault"
    )
    assert refused(cache.delete_replication_group, ReplicationGroupId="absent") == (
        "ReplicationGroupNotFoundFault"
    )
    assert refused(cache.describe_cache_clusters, CacheClusterId="absent") == "CacheClusterNotFound"
    for overrides, expected in (
        ({"CacheParameterGroupName": "absent"}, "CacheParameterGroupNotFound"),
        ({"UserGroupIds": ["absent"]}, "UserGroupNotFound"),
        ({"CacheSubnetGroupName": "absent"}, "CacheSubnetGroupNotFoundFault"),
    ):
        with pytest.raises(ClientError) as error:
            create(cache, subnet_group, **overrides)
        assert error.value.response["Error"]["Code"] == expected


def test_tags_of_a_replication_group(cache: Any, subnet_group: str, emulator: RunningEmulator) -> None:
    team = unique("team")
    arn = create(cache, subnet_group, Tags=[{"Key": "owner", "Value": team}])["ARN"]
    cache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "more", "Value": "1"}])
    cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["more"])
    assert cache.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "owner", "Value": team}]
    found = emulator.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "owner", "Values": [team]}]
    )
    assert [r["ResourceARN"] for r in found["ResourceTagMappingList"]] == [arn]


def test_engine_versions(cache: Any) -> None:
    versions = cache.describe_cache_engine_versions(Engine="valkey")["CacheEngineVersions"]
    assert ("8.0", "valkey8") in {(v["EngineVersion"], v["CacheParameterGroupFamily"]) for v in versions}
