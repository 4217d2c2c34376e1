"""DocumentDB types. Force-new properties: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/docdb_cluster
and its siblings.
"""

from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique
from sandbox.tests.plugins.types.facts import replacing
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused, Resource

SUBNET_GROUP = "aws:docdb/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:docdb/clusterParameterGroup:ClusterParameterGroup"
CLUSTER = "aws:docdb/cluster:Cluster"
INSTANCE = "aws:docdb/clusterInstance:ClusterInstance"
GLOBAL = "aws:docdb/globalCluster:GlobalCluster"

FORCE_NEW = {
    SUBNET_GROUP: {"name", "namePrefix"},
    PARAMETER_GROUP: {"name", "namePrefix", "family", "description"},
    CLUSTER: {
        "availabilityZones",
        "clusterIdentifier",
        "clusterIdentifierPrefix",
        "dbSubnetGroupName",
        "engine",
        "kmsKeyId",
        "masterUsername",
        "port",
        "restoreToPointInTime",
        "snapshotIdentifier",
        "storageEncrypted",
    },
    INSTANCE: {"availabilityZone", "clusterIdentifier", "engine", "identifier", "identifierPrefix"},
    GLOBAL: {
        "databaseName",
        "engine",
        "globalClusterIdentifier",
        "sourceDbClusterIdentifier",
        "storageEncrypted",
    },
}
UNREAD = frozenset(
    {
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "finalSnapshotIdentifier",
        "masterPassword",
        "skipFinalSnapshot",
    }
)


@pytest.fixture(scope="module")
def docdb(emulator: RunningEmulator) -> Any:
    return emulator.client("docdb")


@pytest.fixture(scope="module")
def subnet_group(engine: PlayedEngine, network: Network) -> Resource:
    return engine.resource(SUBNET_GROUP, "documents").create({"subnetIds": network.subnets})


def cluster_program(subnet_group: Resource, **overrides: Any) -> dict[str, Any]:
    return {
        "clusterIdentifier": unique("users"),
        "engineVersion": "5.0.0",
        "masterUsername": "master",
        "masterPassword": Secret("correct-horse"),
        "dbSubnetGroupName": subnet_group.id,
        "skipFinalSnapshot": True,
        "applyImmediately": True,
        **overrides,
    }


def described(docdb: Any, identifier: str) -> dict[str, Any]:
    return dict(docdb.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0])


@pytest.mark.parametrize("pulumi_type", FORCE_NEW)
def test_replacement_follows_terraform(pulumi_type: str) -> None:
    assert replacing(pulumi_type) == FORCE_NEW[pulumi_type]


def test_the_groups_live_and_die(engine: PlayedEngine, network: Network, docdb: Any) -> None:
    subnets = {"subnetIds": network.subnets, "description": "documents", "tags": {"Name": "documents"}}
    group = engine.resource(SUBNET_GROUP, "isolated").create(subnets)
    group.assert_settled(subnets)
    group.delete()
    assert not group.refresh()

    program = {
        "family": "docdb5.0",
        "parameters": [{"name": "tls", "value": "enabled"}, {"name": "audit_logs", "value": "all"}],
    }
    parameters = engine.resource(PARAMETER_GROUP, "audited").create(program)
    parameters.assert_settled(program)
    changed = {**program, "parameters": [{"name": "ttl_monitor", "value": "disabled"}]}
    parameters.update(changed).assert_settled(changed)
    listed = docdb.describe_db_cluster_parameters(DBClusterParameterGroupName=parameters.id, Source="user")[
        "Parameters"
    ]
    assert [(found["ParameterName"], found["ApplyMethod"]) for found in listed] == [
        ("ttl_monitor", "pending-reboot")
    ]
    parameters.delete()
    assert not parameters.refresh()


def test_a_production_cluster_with_its_instances(
    engine: PlayedEngine, subnet_group: Resource, network: Network, key: str, docdb: Any
) -> None:
    program = cluster_program(
        subnet_group,
        availabilityZones=["us-east-1a", "us-east-1b", "us-east-1c"],
        vpcSecurityGroupIds=[network.security_group],
        storageEncrypted=True,
        kmsKeyId=key,
        backupRetentionPeriod=30,
        preferredBackupWindow="02:00-03:00",
        preferredMaintenanceWindow="Sun:04:00-Sun:05:00",
        enabledCloudwatchLogsExports=["audit", "profiler"],
        tags={"Name": "users"},
    )
    cluster = engine.resource(CLUSTER, "users").create(program)
    assert cluster.id == program["clusterIdentifier"]
    assert cluster.output("port") == 27017
    assert cluster.output("endpoint") != cluster.output("readerEndpoint")
    cluster.assert_settled(program, unread=UNREAD)

    members = [
        {
            "identifier": f"{cluster.id}-{zone}",
            "clusterIdentifier": cluster.id,
            "instanceClass": "db.r6g.large",
            "availabilityZone": f"us-east-1{zone}",
            "caCertIdentifier": "rds-ca-rsa2048-g1",
            "enablePerformanceInsights": True,
            "performanceInsightsKmsKeyId": key,
            "preferredMaintenanceWindow": "Sun:05:00-Sun:06:00",
            "promotionTier": tier,
        }
        for tier, zone in enumerate("ab")
    ]
    instances = [engine.resource(INSTANCE, str(member["identifier"])).create(member) for member in members]
    assert [instance.output("writer") for instance in instances] == [True, False]
    for instance, member in zip(instances, members, strict=True):
        instance.assert_settled(member)
    bigger = {**members[1], "instanceClass": "db.r6g.xlarge", "promotionTier": 5}
    assert instances[1].diff(bigger) == ({"instanceClass", "promotionTier"}, set())
    instances[1].update(bigger).assert_settled(bigger)

    cluster.refresh()
    assert cluster.diff(program) == (set(), set()), "its instances are no change of the cluster"
    changed = {
        **program,
        "backupRetentionPeriod": 10,
        "enabledCloudwatchLogsExports": ["audit"],
        "masterPassword": Secret("another-horse"),
    }
    differing = {"backupRetentionPeriod", "enabledCloudwatchLogsExports", "masterPassword"}
    assert cluster.diff(changed) == (differing, set())
    cluster.update(changed).assert_settled(changed, unread=UNREAD)
    found = described(docdb, cluster.id)
    assert (found["BackupRetentionPeriod"], found["EnabledCloudwatchLogsExports"]) == (10, ["audit"])

    for instance in instances:
        instance.delete()
        assert not instance.refresh()
    cluster.delete()
    assert not cluster.refresh()


def test_drift_of_a_cluster_is_seen_and_repaired(
    engine: PlayedEngine, subnet_group: Resource, docdb: Any
) -> None:
    program = cluster_program(subnet_group)
    cluster = engine.resource(CLUSTER, "drifting").create(program)
    docdb.modify_db_cluster(
        DBClusterIdentifier=cluster.id,
        DeletionProtection=True,
        BackupRetentionPeriod=3,
        ApplyImmediately=True,
    )
    cluster.refresh()
    assert cluster.diff(program) == ({"deletionProtection", "backupRetentionPeriod"}, set())
    cluster.update(program)
    found = described(docdb, cluster.id)
    assert (found["DeletionProtection"], found["BackupRetentionPeriod"]) == (False, 1)


def test_the_final_snapshot_is_taken_or_the_deletion_refused(
    engine: PlayedEngine, subnet_group: Resource, docdb: Any
) -> None:
    program = cluster_program(subnet_group, skipFinalSnapshot=False)
    cluster = engine.resource(CLUSTER, "kept").create(program)
    with pytest.raises(Refused, match="finalSnapshotIdentifier is needed"):
        cluster.delete()
    snapshot = unique("final")
    cluster.update({**program, "finalSnapshotIdentifier": snapshot})
    cluster.delete()
    taken = docdb.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=snapshot)["DBClusterSnapshots"]
    assert taken[0]["DBClusterIdentifier"] == program["clusterIdentifier"]


@pytest.mark.parametrize("kind", ["snapshotIdentifier", "restoreToPointInTime"])
def test_a_cluster_is_restored_and_then_made_as_wanted(
    engine: PlayedEngine, subnet_group: Resource, key: str, docdb: Any, kind: str
) -> None:
    encrypted = {"storageEncrypted": True, "kmsKeyId": key}
    source = engine.resource(CLUSTER, "original").create(cluster_program(subnet_group, **encrypted))
    snapshot = unique("snapshot")
    docdb.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot, DBClusterIdentifier=source.id)
    origins: dict[str, Any] = {
        "snapshotIdentifier": snapshot,
        "restoreToPointInTime": {"sourceClusterIdentifier": source.id, "useLatestRestorableTime": True},
    }
    program = {
        "clusterIdentifier": unique("restored"),
        "backupRetentionPeriod": 14,
        "skipFinalSnapshot": True,
        **encrypted,
        kind: origins[kind],
    }
    restored = engine.resource(CLUSTER, "restored").create(program)
    assert described(docdb, restored.id)["BackupRetentionPeriod"] == 14
    assert restored.diff(program) == (set(), set())
    assert restored.refresh()
    assert restored.diff(program) == (set(), set())


def test_a_cluster_joins_a_global_one_at_birth_and_can_leave_it(
    engine: PlayedEngine, subnet_group: Resource
) -> None:
    world = {"globalClusterIdentifier": unique("world"), "engine": "docdb", "engineVersion": "5.0.0"}
    everywhere = engine.resource(GLOBAL, "world").create(world)
    everywhere.assert_settled(world)
    program = cluster_program(subnet_group, globalClusterIdentifier=everywhere.id)
    member = engine.resource(CLUSTER, "member").create(program)
    member.assert_settled(program, unread=UNREAD)
    everywhere.refresh()
    assert [found["dbClusterArn"] for found in everywhere.output("globalClusterMembers")] == [
        member.output("arn")
    ]
    with pytest.raises(Refused, match="cannot join the global cluster"):
        member.update({**program, "globalClusterIdentifier": "elsewhere"})
    alone = {name: value for name, value in program.items() if name != "globalClusterIdentifier"}
    assert member.diff(alone) == ({"globalClusterIdentifier"}, set())
    member.update(alone).assert_settled(alone, unread=UNREAD)
    everywhere.delete()
    assert not everywhere.refresh()


def test_a_preview_foretells_endpoints_only_as_unknown(engine: PlayedEngine, subnet_group: Resource) -> None:
    foretold = engine.resource(CLUSTER, "foretold").preview(cluster_program(subnet_group))
    assert foretold["endpoint"] is UNKNOWN
    assert isinstance(foretold["masterPassword"], Secret)
