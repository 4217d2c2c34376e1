"""RDS types. Force-new properties: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
and its siblings.
"""

import json
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, reveal

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique
from sandbox.tests.plugins.types.facts import replacing
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused, Resource

SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:rds/parameterGroup:ParameterGroup"
INSTANCE = "aws:rds/instance:Instance"
PROXY = "aws:rds/proxy:Proxy"
TARGET_GROUP = "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup"
TARGET = "aws:rds/proxyTarget:ProxyTarget"
EVENTS = "aws:rds/eventSubscription:EventSubscription"

FORCE_NEW = {
    SUBNET_GROUP: {"name", "namePrefix"},
    PARAMETER_GROUP: {"name", "namePrefix", "family", "description"},
    INSTANCE: {
        "availabilityZone",
        "backupTarget",
        "characterSetName",
        "customIamInstanceProfile",
        "dbName",
        "engine",
        "engineLifecycleSupport",
        "kmsKeyId",
        "ncharCharacterSetName",
        "restoreToPointInTime",
        "snapshotIdentifier",
        "storageEncrypted",
        "timezone",
        "username",
    },
    PROXY: {"name", "engineFamily", "vpcSubnetIds", "endpointNetworkType", "targetConnectionNetworkType"},
    TARGET_GROUP: {"dbProxyName"},
    TARGET: {"dbProxyName", "targetGroupName", "dbInstanceIdentifier", "dbClusterIdentifier", "region"},
    EVENTS: {"name", "namePrefix"},
}
PASSWORD = "correct-horse-battery"
UNREAD = frozenset(
    {
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "deleteAutomatedBackups",
        "finalSnapshotIdentifier",
        "password",
        "skipFinalSnapshot",
    }
)


@pytest.fixture(scope="module")
def rds(emulator: RunningEmulator) -> Any:
    return emulator.client("rds")


@pytest.fixture(scope="module")
def role(emulator: RunningEmulator) -> str:
    iam = emulator.client("iam")
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": ["monitoring.rds.amazonaws.com", "rds.amazonaws.com"]},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Action": "sts:AssumeRole"}]})
    return str(iam.create_role(RoleName="databases", AssumeRolePolicyDocument=trust)["Role"]["Arn"])


@pytest.fixture(scope="module")
def protection(network: Network, key: str, role: str) -> dict[str, Any]:
    """What makes an instance private, encrypted and watched."""
    return {
        "vpcSecurityGroupIds": [network.security_group],
        "storageEncrypted": True,
        "kmsKeyId": key,
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": key,
        "performanceInsightsRetentionPeriod": 465,
        "databaseInsightsMode": "advanced",
        "monitoringInterval": 60,
        "monitoringRoleArn": role,
    }


@pytest.fixture(scope="module")
def subnet_group(engine: PlayedEngine, network: Network) -> Resource:
    return engine.resource(SUBNET_GROUP, "databases").create({"subnetIds": network.subnets})


def primary(subnet_group: Resource, **overrides: Any) -> dict[str, Any]:
    return {
        "identifier": unique("orders"),
        "engine": "postgres",
        "engineVersion": "17",
        "instanceClass": "db.m7g.large",
        "allocatedStorage": 100,
        "storageType": "gp3",
        "username": "master",
        "password": Secret(PASSWORD),
        "dbSubnetGroupName": subnet_group.id,
        "backupRetentionPeriod": 30,
        "skipFinalSnapshot": True,
        **overrides,
    }


def described(rds: Any, identifier: str) -> dict[str, Any]:
    return dict(rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def user_parameters(rds: Any, group: str) -> dict[str, str]:
    found = rds.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    return {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in found}


@pytest.mark.parametrize("pulumi_type", FORCE_NEW)
def test_replacement_follows_terraform(pulumi_type: str) -> None:
    assert replacing(pulumi_type) == FORCE_NEW[pulumi_type]


def test_a_subnet_group_lives_and_dies(engine: PlayedEngine, network: Network, rds: Any) -> None:
    program = {"subnetIds": network.subnets, "tags": {"Name": "data"}}
    group = engine.resource(SUBNET_GROUP, "Data").create(program)
    assert group.id.startswith("data-"), "RDS keeps these names in lower case"
    assert group.output("vpcId") == network.vpc
    assert group.output("description") == "Managed by Pulumi"
    group.assert_settled(program)

    smaller = {"subnetIds": network.subnets[:2], "description": "two zones"}
    assert group.diff(smaller) == ({"subnetIds", "description", "tags"}, set())
    group.update(smaller).assert_settled(smaller)

    rds.modify_db_subnet_group(DBSubnetGroupName=group.id, SubnetIds=network.subnets)
    group.refresh()
    assert group.diff(smaller) == ({"subnetIds"}, set()), "what somebody changed is seen"
    group.delete()
    assert not group.refresh()


def test_a_parameter_group_sets_what_differs_and_resets_what_went(engine: PlayedEngine, rds: Any) -> None:
    program = {
        "family": "postgres17",
        "parameters": [
            *({"name": f"extension.setting_{number}", "value": "1"} for number in range(40)),
            *(
                {"name": name, "value": "1", "applyMethod": "pending-reboot"}
                for name in (
                    "max_connections",
                    "shared_buffers",
                    "huge_pages",
                    "wal_buffers",
                    "max_wal_senders",
                )
            ),
        ],
    }
    group = engine.resource(PARAMETER_GROUP, "tuned").create(program)
    assert len(user_parameters(rds, group.id)) == 45, "more than one call takes arrives whole"
    group.assert_settled(program)

    changed = {"family": "postgres17", "parameters": [{"name": "RDS.force_ssl", "value": "0"}]}
    assert group.diff(changed) == ({"parameters"}, set())
    group.update(changed)
    assert user_parameters(rds, group.id) == {"rds.force_ssl": "0"}
    group.assert_settled(changed)

    rds.modify_db_parameter_group(
        DBParameterGroupName=group.id,
        Parameters=[{"ParameterName": "work_mem", "ParameterValue": "8", "ApplyMethod": "immediate"}],
    )
    group.refresh()
    assert group.diff(changed) == ({"parameters"}, set()), "a parameter that somebody set is seen"
    group.update(changed)
    assert user_parameters(rds, group.id) == {"rds.force_ssl": "0"}


def test_the_order_of_parameters_means_nothing(engine: PlayedEngine) -> None:
    parameters = [{"name": name, "value": "1"} for name in ("log_connections", "autovacuum", "work_mem")]
    program = {"family": "postgres17", "parameters": parameters}
    group = engine.resource(PARAMETER_GROUP, "ordered").create(program)
    assert group.diff({**program, "parameters": parameters[::-1]}) == (set(), set())


def test_a_production_instance_settles(
    engine: PlayedEngine, subnet_group: Resource, protection: dict[str, Any], rds: Any
) -> None:
    program = primary(
        subnet_group,
        **protection,
        maxAllocatedStorage=500,
        multiAz=True,
        port=5433,
        caCertIdentifier="rds-ca-rsa2048-g1",
        backupWindow="03:00-04:00",
        maintenanceWindow="Sun:05:00-Sun:06:00",
        copyTagsToSnapshot=True,
        enabledCloudwatchLogsExports=["upgrade", "postgresql"],
        engineLifecycleSupport="open-source-rds-extended-support-disabled",
        iamDatabaseAuthenticationEnabled=True,
        applyImmediately=False,
        tags={"Name": "orders"},
    )
    instance = engine.resource(INSTANCE, "orders").create(program)
    assert instance.id == instance.output("resourceId")
    assert instance.output("endpoint") == f"{instance.output('address')}:5433"
    assert instance.output("engineVersionActual").startswith("17.")
    assert isinstance(instance.state["password"], Secret)
    instance.assert_settled(program, unread=UNREAD)
    assert instance.diff({**program, "engineVersion": "16"}) == ({"engineVersion"}, set())

    changed = {
        **program,
        "instanceClass": "db.m7g.xlarge",
        "port": 5434,
        "enabledCloudwatchLogsExports": ["postgresql"],
        "password": Secret("another-horse-battery"),
    }
    del changed["maxAllocatedStorage"], changed["backupWindow"]
    assert instance.diff(changed)[0] == {
        "instanceClass",
        "port",
        "enabledCloudwatchLogsExports",
        "password",
        "maxAllocatedStorage",
    }, "AWS keeps a backup window that the program no longer names"
    instance.update(changed).assert_settled(changed, unread=UNREAD)
    found = described(rds, program["identifier"])
    assert (found["DBInstanceClass"], found["Endpoint"]["Port"]) == ("db.m7g.xlarge", 5434)
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert "MaxAllocatedStorage" not in found


def test_a_preview_foretells_without_making(engine: PlayedEngine, subnet_group: Resource, rds: Any) -> None:
    program = primary(subnet_group)
    foretold = engine.resource(INSTANCE, "foretold").preview(program)
    assert foretold["address"] is UNKNOWN
    assert foretold["identifier"] == program["identifier"]
    names = [found["DBInstanceIdentifier"] for found in rds.describe_db_instances()["DBInstances"]]
    assert program["identifier"] not in names


def test_drift_of_an_instance_is_seen_and_repaired(
    engine: PlayedEngine, subnet_group: Resource, rds: Any
) -> None:
    program = primary(subnet_group)
    instance = engine.resource(INSTANCE, "drifting").create(program)
    rds.modify_db_instance(
        DBInstanceIdentifier=program["identifier"],
        DBInstanceClass="db.m7g.2xlarge",
        DeletionProtection=True,
        ApplyImmediately=True,
    )
    instance.refresh()
    assert instance.diff(program) == ({"instanceClass", "deletionProtection"}, set())
    instance.update(program)
    found = described(rds, program["identifier"])
    assert (found["DBInstanceClass"], found["DeletionProtection"]) == ("db.m7g.large", False)


def test_an_instance_is_renamed_in_place_and_keeps_its_id(
    engine: PlayedEngine, subnet_group: Resource
) -> None:
    program = primary(subnet_group)
    instance = engine.resource(INSTANCE, "renamed").create(program)
    resource_id = instance.id
    renamed = {**program, "identifier": unique("renamed")}
    assert instance.diff(renamed) == ({"identifier"}, set())
    instance.update(renamed).assert_settled(renamed, unread=UNREAD)
    assert instance.id == resource_id
    assert instance.imported(renamed["identifier"]).output("resourceId") == resource_id


def test_a_replica_is_made_from_its_source_and_promoted_by_leaving_it(
    engine: PlayedEngine, subnet_group: Resource, rds: Any
) -> None:
    source = engine.resource(INSTANCE, "source").create(primary(subnet_group))
    program = {
        "identifier": unique("replica"),
        "instanceClass": "db.m7g.large",
        "replicateSourceDb": source.output("identifier"),
        "skipFinalSnapshot": True,
    }
    replica = engine.resource(INSTANCE, "replica").create(program)
    assert replica.output("engine") == "postgres"
    replica.assert_settled(program, unread=UNREAD)
    source.refresh()
    assert source.output("replicas") == [program["identifier"]]
    with pytest.raises(Refused, match="cannot be moved to another source"):
        replica.update({**program, "replicateSourceDb": "elsewhere"})

    alone = {**program, "backupRetentionPeriod": 7}
    del alone["replicateSourceDb"]
    assert replica.diff(alone) == ({"replicateSourceDb", "backupRetentionPeriod"}, set())
    replica.update(alone).assert_settled(alone, unread=UNREAD)
    found = described(rds, program["identifier"])
    assert "ReadReplicaSourceDBInstanceIdentifier" not in found
    assert found["BackupRetentionPeriod"] == 7
    named = {**alone, "engine": "postgres", "username": "master"}
    assert replica.diff(named) == (set(), set()), "naming what AWS has anyway replaces nothing"


@pytest.mark.parametrize("kind", ["snapshotIdentifier", "restoreToPointInTime"])
def test_an_instance_is_restored_and_then_made_as_wanted(
    engine: PlayedEngine, subnet_group: Resource, rds: Any, kind: str
) -> None:
    source = engine.resource(INSTANCE, "original").create(primary(subnet_group))
    snapshot = unique("snapshot")
    rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=source.output("identifier"))
    origins: dict[str, Any] = {
        "snapshotIdentifier": snapshot,
        "restoreToPointInTime": {
            "sourceDbInstanceIdentifier": source.output("identifier"),
            "useLatestRestorableTime": True,
        },
    }
    program = {
        "identifier": unique("restored"),
        "instanceClass": "db.m7g.xlarge",
        "backupRetentionPeriod": 14,
        "skipFinalSnapshot": True,
        kind: origins[kind],
    }
    restored = engine.resource(INSTANCE, "restored").create(program)
    assert restored.id != source.id
    found = described(rds, program["identifier"])
    assert (found["DBInstanceClass"], found["BackupRetentionPeriod"]) == ("db.m7g.xlarge", 14)
    assert restored.diff(program) == (set(), set())
    assert restored.refresh()
    assert restored.diff(program) == (set(), set())


def test_the_final_snapshot_is_taken_or_the_deletion_refused(
    engine: PlayedEngine, subnet_group: Resource, rds: Any
) -> None:
    program = primary(subnet_group, skipFinalSnapshot=False)
    instance = engine.resource(INSTANCE, "kept").create(program)
    with pytest.raises(Refused, match="finalSnapshotIdentifier is needed"):
        instance.delete()
    snapshot = unique("final")
    instance.update({**program, "finalSnapshotIdentifier": snapshot, "deletionProtection": True})
    with pytest.raises(Refused, match=r"(?i)protect"):
        instance.delete()
    instance.update({**program, "finalSnapshotIdentifier": snapshot})
    instance.delete()
    assert not instance.refresh()
    taken = rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
    assert taken[0]["DBInstanceIdentifier"] == program["identifier"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"passwordWo": "secret"}, "write-only arguments"),
        ({"s3Import": {}, "domain": "d-1"}, "Active Directory"),
        ({"snapshotIdentifier": "a", "replicateSourceDb": "b"}, "conflicts with"),
        ({"identifier": "a", "identifierPrefix": "b"}, "conflicts with"),
        ({"allocatedStorage": "large"}, "must be an integer"),
        ({"instanceClas": "db.m7g.large"}, "did you mean instanceClass"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    engine: PlayedEngine, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        engine.resource(INSTANCE, "wrong").check({"instanceClass": "db.m7g.large", **given})


def test_a_proxy_with_its_target(
    engine: PlayedEngine, subnet_group: Resource, network: Network, role: str, emulator: RunningEmulator
) -> None:
    instance = engine.resource(INSTANCE, "proxied").create(primary(subnet_group))
    secret = emulator.client("secretsmanager").create_secret(Name=unique("s"), SecretString="{}")["ARN"]
    program: dict[str, Any] = {
        "engineFamily": "POSTGRESQL",
        "roleArn": role,
        "requireTls": True,
        "idleClientTimeout": 900,
        "vpcSubnetIds": network.subnets,
        "vpcSecurityGroupIds": [network.security_group],
        "auths": [{"authScheme": "SECRETS", "iamAuth": "DISABLED", "secretArn": secret}],
    }
    proxy = engine.resource(PROXY, "pool").create(program)
    proxy.assert_settled(program)
    changed = {**program, "requireTls": False, "auths": [{**program["auths"][0], "iamAuth": "REQUIRED"}]}
    assert proxy.diff(changed) == ({"requireTls", "auths"}, set())
    proxy.update(changed).assert_settled(changed)
    assert proxy.diff({**changed, "vpcSubnetIds": network.subnets[:2]})[1] == {"vpcSubnetIds"}

    pooling: dict[str, Any] = {
        "dbProxyName": proxy.id,
        "connectionPoolConfig": {"maxConnectionsPercent": 90, "connectionBorrowTimeout": 60},
    }
    group = engine.resource(TARGET_GROUP, "pool").create(pooling)
    assert group.output("name") == "default"
    group.assert_settled(pooling)
    pooling["connectionPoolConfig"] = {"maxConnectionsPercent": 80}
    group.update(pooling).assert_settled(pooling)

    registration = {
        "dbProxyName": proxy.id,
        "targetGroupName": group.output("name"),
        "dbInstanceIdentifier": instance.output("identifier"),
    }
    target = engine.resource(TARGET, "pool").create(registration)
    assert target.id == f"{proxy.id}/default/RDS_INSTANCE/{instance.output('identifier')}"
    assert target.output("endpoint") == instance.output("address")
    target.assert_settled(registration)
    target.delete()
    assert not target.refresh()
    group.delete()
    proxy.delete()
    assert not proxy.refresh()


def test_an_event_subscription_follows_its_sources(
    engine: PlayedEngine, subnet_group: Resource, emulator: RunningEmulator, rds: Any
) -> None:
    topic = emulator.client("sns").create_topic(Name="alarms")["TopicArn"]
    first, second = (
        engine.resource(INSTANCE, name).create(primary(subnet_group)).output("identifier")
        for name in ("first", "second")
    )
    program = {
        "snsTopic": topic,
        "sourceType": "db-instance",
        "sourceIds": [first],
        "eventCategories": ["failover", "failure"],
    }
    events = engine.resource(EVENTS, "failures").create(program)
    events.assert_settled(program)
    changed = {**program, "sourceIds": [second], "eventCategories": ["failure"], "enabled": False}
    assert events.diff(changed) == ({"sourceIds", "eventCategories", "enabled"}, set())
    events.update(changed).assert_settled(changed)
    found = rds.describe_event_subscriptions(SubscriptionName=events.id)["EventSubscriptionsList"][0]
    assert (found["SourceIdsList"], found["Enabled"]) == ([second], False)
    events.delete()
    assert not events.refresh()


def test_passwords_never_come_back_readable(engine: PlayedEngine, subnet_group: Resource) -> None:
    instance = engine.resource(INSTANCE, "secretive").create(primary(subnet_group))
    instance.refresh()
    assert isinstance(instance.inputs["password"], Secret)
    plain = {name: value for name, value in instance.state.items() if not isinstance(value, Secret)}
    assert PASSWORD not in str(reveal(plain))
