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
def rds(emulator: RunningEmulator) -> Any:
    return emulator.client("rds")


@pytest.fixture(scope="module")
def docdb(emulator: RunningEmulator) -> Any:
    return emulator.client("docdb")


@pytest.fixture
def subnet_group(rds: Any, network: Network) -> str:
    name = unique("group")
    rds.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    return name


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return code(error)


def described(rds: Any, name: str) -> dict[str, Any]:
    return dict(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])


def create(rds: Any, group: str, **overrides: Any) -> dict[str, Any]:
    arguments = {
        "DBInstanceIdentifier": unique("orders"),
        "Engine": "postgres",
        "EngineVersion": "17",
        "DBInstanceClass": "db.m7g.large",
        "AllocatedStorage": 100,
        "StorageType": "gp3",
        "MasterUsername": "master",
        "MasterUserPassword": PASSWORD,
        "DBSubnetGroupName": group,
        "BackupRetentionPeriod": 30,
        **overrides,
    }
    return dict(rds.create_db_instance(**arguments)["DBInstance"])


def test_an_instance_reads_back_what_it_was_created_with(
    rds: Any, emulator: RunningEmulator, subnet_group: str
) -> None:
    key = emulator.client("kms").create_key()["KeyMetadata"]
    role = "arn:aws:iam::123456789012:role/monitoring"
    emulator.client("iam").create_role(
        RoleName="monitoring",
        AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"Service":"monitoring.rds.amazonaws.com"}}]}',
    )
    created = create(
        rds,
        subnet_group,
        StorageEncrypted=True,
        KmsKeyId=key["KeyId"],
        MultiAZ=True,
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=key["KeyId"],
        PerformanceInsightsRetentionPeriod=465,
        DatabaseInsightsMode="advanced",
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
        MonitoringInterval=60,
        MonitoringRoleArn=role,
        NetworkType="IPV4",
        DedicatedLogVolume=True,
        EnableCloudwatchLogsExports=["postgresql"],
    )
    read = rds.describe_db_instances(DBInstanceIdentifier=created["DBInstanceIdentifier"])["DBInstances"][0]
    assert read["EngineVersion"] == "17.10"
    assert read["KmsKeyId"] == read["PerformanceInsightsKMSKeyId"] == key["Arn"]
    assert read["PerformanceInsightsEnabled"] is True
    assert read["PerformanceInsightsRetentionPeriod"] == 465
    assert read["DatabaseInsightsMode"] == "advanced"
    assert read["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert read["DedicatedLogVolume"] is True
    assert read["NetworkType"] == "IPV4"
    assert (read["MonitoringInterval"], read["MonitoringRoleArn"]) == (60, role)
    assert read["EnhancedMonitoringResourceArn"].endswith(read["DbiResourceId"])
    assert (read["Iops"], read["StorageThroughput"]) == (3000, 125)
    assert read["SecondaryAvailabilityZone"] != read["AvailabilityZone"]
    assert read["LicenseModel"] == "postgresql-license"
    assert read["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres17"


def test_instances_have_identifiers_of_their_own(rds: Any, subnet_group: str) -> None:
    first, second = create(rds, subnet_group), create(rds, subnet_group)
    assert first["DbiResourceId"] != second["DbiResourceId"]


def test_a_modified_instance_reads_back(rds: Any, subnet_group: str) -> None:
    name = create(rds, subnet_group)["DBInstanceIdentifier"]
    rds.modify_db_instance(
        DBInstanceIdentifier=name,
        EnablePerformanceInsights=True,
        DatabaseInsightsMode="advanced",
        PerformanceInsightsRetentionPeriod=465,
        BackupRetentionPeriod=7,
        ApplyImmediately=True,
    )
    read = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    assert read["PerformanceInsightsEnabled"] is True
    assert read["DatabaseInsightsMode"] == "advanced"
    assert read["BackupRetentionPeriod"] == 7


def test_a_replica_is_its_own_instance_and_goes_when_it_is_promoted(rds: Any, subnet_group: str) -> None:
    source = create(rds, subnet_group, DeletionProtection=True, Tags=[{"Key": "role", "Value": "source"}])
    name = unique("replica")
    replica = rds.create_db_instance_read_replica(
        DBInstanceIdentifier=name,
        SourceDBInstanceIdentifier=source["DBInstanceIdentifier"],
        Tags=[{"Key": "role", "Value": "replica"}],
    )["DBInstance"]
    assert replica["DbiResourceId"] != source["DbiResourceId"]
    assert replica["DeletionProtection"] is False
    assert replica["BackupRetentionPeriod"] == 0
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == source["DBInstanceIdentifier"]
    read = rds.describe_db_instances(DBInstanceIdentifier=source["DBInstanceIdentifier"])["DBInstances"][0]
    assert read["ReadReplicaDBInstanceIdentifiers"] == [name]
    assert read["TagList"] == [{"Key": "role", "Value": "source"}]
    assert read["DeletionProtection"] is True
    promoted = rds.promote_read_replica(DBInstanceIdentifier=name)["DBInstance"]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    read = rds.describe_db_instances(DBInstanceIdentifier=source["DBInstanceIdentifier"])["DBInstances"][0]
    assert read.get("ReadReplicaDBInstanceIdentifiers", []) == []


def test_a_replica_in_another_region(rds: Any, emulator: RunningEmulator, subnet_group: str) -> None:
    source = create(rds, subnet_group)
    far = emulator.client("rds", "us-west-2")
    replica = far.create_db_instance_read_replica(
        DBInstanceIdentifier=unique("far"), SourceDBInstanceIdentifier=source["DBInstanceArn"]
    )["DBInstance"]
    assert ":us-west-2:" in replica["DBInstanceArn"]
    far.delete_db_instance(DBInstanceIdentifier=replica["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    read = rds.describe_db_instances(DBInstanceIdentifier=source["DBInstanceIdentifier"])["DBInstances"][0]
    assert read.get("ReadReplicaDBInstanceIdentifiers", []) == []


def test_a_replica_of_nothing_and_a_taken_name(rds: Any, subnet_group: str) -> None:
    with pytest.raises(ClientError) as error:
        rds.create_db_instance_read_replica(DBInstanceIdentifier="a", SourceDBInstanceIdentifier="absent")
    assert code(error) == "DBInstanceNotFound"
    name = create(rds, subnet_group)["DBInstanceIdentifier"]
    with pytest.raises(ClientError) as error:
        rds.create_db_instance_read_replica(DBInstanceIdentifier=name, SourceDBInstanceIdentifier=name)
    assert code(error) == "DBInstanceAlreadyExists"


def test_a_deleted_instance_leaves_only_its_final_snapshot(
    rds: Any, emulator: RunningEmulator, subnet_group: str
) -> None:
    name, snapshot = create(rds, subnet_group)["DBInstanceIdentifier"], unique("final")
    rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=snapshot)
    left = {item for item in emulator.inventory() if name in item[2] or snapshot in item[2]}
    assert left == {("rds", "snapshot", snapshot)}
    create(rds, subnet_group, DBInstanceIdentifier=name)


def test_a_subnet_group_survives_its_modification(rds: Any, network: Network, subnet_group: str) -> None:
    rds.modify_db_subnet_group(
        DBSubnetGroupName=subnet_group, DBSubnetGroupDescription="new", SubnetIds=network.subnets[:2]
    )
    group = rds.describe_db_subnet_groups(DBSubnetGroupName=subnet_group)["DBSubnetGroups"][0]
    assert group["DBSubnetGroupDescription"] == "new"
    assert [subnet["SubnetIdentifier"] for subnet in group["Subnets"]] == network.subnets[:2]
    with pytest.raises(ClientError) as error:
        rds.modify_db_subnet_group(DBSubnetGroupName="absent", SubnetIds=network.subnets)
    assert code(error) == "DBSubnetGroupNotFoundFault"
    with pytest.raises(ClientError) as error:
        rds.create_db_subnet_group(
            DBSubnetGroupName=subnet_group, DBSubnetGroupDescription="d", SubnetIds=network.subnets
        )
    assert code(error) == "DBSubnetGroupAlreadyExists"


def test_a_subnet_group_in_use_stays(rds: Any, subnet_group: str) -> None:
    name = create(rds, subnet_group)["DBInstanceIdentifier"]
    with pytest.raises(ClientError) as error:
        rds.delete_db_subnet_group(DBSubnetGroupName=subnet_group)
    assert code(error) == "InvalidDBSubnetGroupStateFault"
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_subnet_group(DBSubnetGroupName=subnet_group)


def test_parameters_are_set_described_and_reset(rds: Any) -> None:
    name = unique("parameters")
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="tuned"
    )
    rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {"ParameterName": "work_mem", "ParameterValue": "8192", "ApplyMethod": "immediate"},
            {"ParameterName": "max_connections", "ParameterValue": "400", "ApplyMethod": "pending-reboot"},
        ],
    )
    user = rds.describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"]
    assert {(p["ParameterName"], p["ParameterValue"], p["ApplyType"]) for p in user} == {
        ("work_mem", "8192", "dynamic"),
        ("max_connections", "400", "static"),
    }
    every = [
        parameter
        for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name)
        for parameter in page["Parameters"]
    ]
    assert {p["Source"] for p in every} == {"user", "engine-default"}
    reset = [{"ParameterName": "work_mem", "ApplyMethod": "immediate"}]
    rds.reset_db_parameter_group(DBParameterGroupName=name, Parameters=reset)
    user = rds.describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"]
    assert [p["ParameterName"] for p in user] == ["max_connections"]
    rds.reset_db_parameter_group(DBParameterGroupName=name, ResetAllParameters=True)
    assert rds.describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"] == []


def test_a_parameter_group_in_use_stays(rds: Any, subnet_group: str) -> None:
    name = unique("parameters")
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="tuned"
    )
    instance = create(rds, subnet_group, DBParameterGroupName=name)["DBInstanceIdentifier"]
    with pytest.raises(ClientError) as error:
        rds.delete_db_parameter_group(DBParameterGroupName=name)
    assert code(error) == "InvalidDBParameterGroupState"
    rds.modify_db_instance(DBInstanceIdentifier=instance, DBParameterGroupName="default.postgres17")
    rds.delete_db_parameter_group(DBParameterGroupName=name)


def test_event_subscriptions(rds: Any) -> None:
    name, topic = unique("events"), "arn:aws:sns:us-east-1:123456789012:alarms"
    rds.create_event_subscription(
        SubscriptionName=name, SnsTopicArn=topic, SourceType="db-instance", Tags=[{"Key": "a", "Value": "b"}]
    )
    rds.modify_event_subscription(SubscriptionName=name, EventCategories=["failover"], Enabled=False)
    rds.add_source_identifier_to_subscription(SubscriptionName=name, SourceIdentifier="orders")
    read = rds.describe_event_subscriptions(SubscriptionName=name)["EventSubscriptionsList"][0]
    assert (read["SnsTopicArn"], read["SourceType"], read["Enabled"]) == (topic, "db-instance", False)
    assert (read["EventCategoriesList"], read["SourceIdsList"]) == (["failover"], ["orders"])
    assert rds.list_tags_for_resource(ResourceName=read["EventSubscriptionArn"])["TagList"] == [
        {"Key": "a", "Value": "b"}
    ]
    rds.remove_source_identifier_from_subscription(SubscriptionName=name, SourceIdentifier="orders")
    rds.delete_event_subscription(SubscriptionName=name)
    with pytest.raises(ClientError) as error:
        rds.modify_event_subscription(SubscriptionName=name, Enabled=True)
    assert code(error) == "SubscriptionNotFound"


@pytest.fixture
def proxy(rds: Any, emulator: RunningEmulator, network: Network) -> str:
    name = unique("proxy")
    iam = emulator.client("iam")
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"Service":"rds.amazonaws.com"}}]}',
    )["Role"]["Arn"]
    rds.create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        Auth=[
            {"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:a"}
        ],
        RoleArn=role,
        VpcSubnetIds=network.subnets,
        RequireTLS=True,
    )
    return name


def test_a_proxy_and_its_targets(rds: Any, subnet_group: str, proxy: str) -> None:
    instance = create(rds, subnet_group)["DBInstanceIdentifier"]
    rds.modify_db_proxy(DBProxyName=proxy, IdleClientTimeout=900, DebugLogging=True)
    read = rds.describe_db_proxies(DBProxyName=proxy)["DBProxies"][0]
    assert (read["IdleClientTimeout"], read["DebugLogging"], read["RequireTLS"]) == (900, True, True)
    rds.modify_db_proxy_target_group(
        DBProxyName=proxy,
        TargetGroupName="default",
        ConnectionPoolConfig={
            "MaxConnectionsPercent": 90,
            "MaxIdleConnectionsPercent": 10,
            "InitQuery": "SET x=1",
        },
    )
    pool = rds.describe_db_proxy_target_groups(DBProxyName=proxy)["TargetGroups"][0]["ConnectionPoolConfig"]
    assert (pool["MaxConnectionsPercent"], pool["MaxIdleConnectionsPercent"]) == (90, 10)
    assert pool["InitQuery"] == "SET x=1"
    rds.register_db_proxy_targets(DBProxyName=proxy, DBInstanceIdentifiers=[instance])
    target = rds.describe_db_proxy_targets(DBProxyName=proxy)["Targets"][0]
    assert target["TargetArn"] == described(rds, instance)["DBInstanceArn"]
    rds.describe_db_proxy_targets(DBProxyName=proxy)
    target = rds.describe_db_proxy_targets(DBProxyName=proxy)["Targets"][0]
    assert (target["RdsResourceId"], target["Type"], target["Port"]) == (instance, "RDS_INSTANCE", 5432)
    assert target["TargetHealth"]["State"] == "AVAILABLE"
    with pytest.raises(ClientError) as error:
        rds.register_db_proxy_targets(DBProxyName=proxy, DBInstanceIdentifiers=[instance])
    assert code(error) == "DBProxyTargetAlreadyRegisteredFault"
    rds.deregister_db_proxy_targets(DBProxyName=proxy, DBInstanceIdentifiers=[instance])
    assert rds.describe_db_proxy_targets(DBProxyName=proxy)["Targets"] == []
    with pytest.raises(ClientError) as error:
        rds.deregister_db_proxy_targets(DBProxyName=proxy, DBInstanceIdentifiers=[instance])
    assert code(error) == "DBProxyTargetNotFoundFault"
    with pytest.raises(ClientError) as error:
        rds.register_db_proxy_targets(DBProxyName=proxy, DBInstanceIdentifiers=["absent"])
    assert code(error) == "DBInstanceNotFound"
    rds.delete_db_proxy(DBProxyName=proxy)
    for operation in (
        rds.describe_db_proxy_targets,
        rds.describe_db_proxy_target_groups,
        rds.delete_db_proxy,
    ):
        with pytest.raises(ClientError) as error:
            operation(DBProxyName=proxy)
        assert code(error) == "DBProxyNotFoundFault"


def test_engine_versions(rds: Any) -> None:
    versions = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"]
    assert versions
    assert {v["DBParameterGroupFamily"] for v in versions} == {"postgres17"}
    default = rds.describe_db_engine_versions(Engine="docdb", DefaultOnly=True)["DBEngineVersions"]
    assert [(v["EngineVersion"], v["DBParameterGroupFamily"]) for v in default] == [("5.0.0", "docdb5.0")]


def create_cluster(docdb: Any, group: str, **overrides: Any) -> dict[str, Any]:
    arguments = {
        "DBClusterIdentifier": unique("catalog"),
        "Engine": "docdb",
        "EngineVersion": "5.0.0",
        "MasterUsername": "master",
        "MasterUserPassword": PASSWORD,
        "DBSubnetGroupName": group,
        **overrides,
    }
    return dict(docdb.create_db_cluster(**arguments)["DBCluster"])


def test_a_documentdb_cluster_over_three_zones(
    docdb: Any, subnet_group: str, emulator: RunningEmulator
) -> None:
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    cluster = create_cluster(
        docdb,
        subnet_group,
        StorageEncrypted=True,
        KmsKeyId=key,
        BackupRetentionPeriod=30,
        EnableCloudwatchLogsExports=["audit"],
        DeletionProtection=True,
    )
    name = cluster["DBClusterIdentifier"]
    for _ in range(3):
        docdb.create_db_instance(
            DBInstanceIdentifier=unique("member"),
            DBInstanceClass="db.r6g.large",
            Engine="docdb",
            DBClusterIdentifier=name,
        )
    read = docdb.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    assert (read["Engine"], read["EngineVersion"], read["Port"]) == ("docdb", "5.0.0", 27017)
    assert read["DBClusterParameterGroup"] == "default.docdb5.0"
    assert read["EnabledCloudwatchLogsExports"] == ["audit"]
    assert read["KmsKeyId"] == key
    assert ".docdb.amazonaws.com" in read["Endpoint"]
    assert sorted(m["IsClusterWriter"] for m in read["DBClusterMembers"]) == [False, False, True]
    members = docdb.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [name]}])[
        "DBInstances"
    ]
    assert {m["AvailabilityZone"] for m in members} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert all(m["DBSubnetGroup"]["DBSubnetGroupName"] == subnet_group for m in members)
    assert all(m["Endpoint"]["Port"] == 27017 for m in members)
    assert docdb.describe_global_clusters()["GlobalClusters"] == []


def test_a_documentdb_cluster_is_modified(docdb: Any, subnet_group: str) -> None:
    name = create_cluster(docdb, subnet_group, EnableCloudwatchLogsExports=["audit"])["DBClusterIdentifier"]
    docdb.modify_db_cluster(
        DBClusterIdentifier=name,
        BackupRetentionPeriod=35,
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["profiler"], "DisableLogTypes": ["audit"]},
        ApplyImmediately=True,
    )
    read = docdb.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    assert read["BackupRetentionPeriod"] == 35
    assert read["EnabledCloudwatchLogsExports"] == ["profiler"]
    with pytest.raises(ClientError) as error:
        docdb.modify_db_cluster(DBClusterIdentifier="absent", BackupRetentionPeriod=1)
    assert code(error) == "DBClusterNotFoundFault"


def test_a_documentdb_cluster_comes_back_under_its_name(
    docdb: Any, subnet_group: str, emulator: RunningEmulator
) -> None:
    name, snapshot = create_cluster(docdb, subnet_group)["DBClusterIdentifier"], unique("final")
    with pytest.raises(ClientError) as error:
        create_cluster(docdb, subnet_group, DBClusterIdentifier=name)
    assert code(error) == "DBClusterAlreadyExistsFault"
    docdb.delete_db_cluster(DBClusterIdentifier=name, FinalDBSnapshotIdentifier=snapshot)
    assert {i for i in emulator.inventory() if name in i[2] or snapshot in i[2]} == {
        ("rds", "cluster-snapshot", snapshot)
    }
    with pytest.raises(ClientError) as error:
        docdb.describe_db_clusters(DBClusterIdentifier=name)
    assert code(error) == "DBClusterNotFoundFault"
    create_cluster(docdb, subnet_group, DBClusterIdentifier=name)


def test_documentdb_parameter_groups(docdb: Any, subnet_group: str) -> None:
    name = unique("docdb-parameters")
    docdb.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="docdb5.0", Description="tls and audit"
    )
    docdb.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        Parameters=[{"ParameterName": "tls", "ParameterValue": "enabled", "ApplyMethod": "pending-reboot"}],
    )
    user = docdb.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"], p["ApplyType"]) for p in user] == [
        ("tls", "enabled", "static")
    ]
    cluster = create_cluster(docdb, subnet_group, DBClusterParameterGroupName=name)["DBClusterIdentifier"]
    with pytest.raises(ClientError) as error:
        docdb.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)
    assert code(error) == "InvalidDBParameterGroupState"
    docdb.reset_db_cluster_parameter_group(DBClusterParameterGroupName=name, ResetAllParameters=True)
    user = docdb.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")["Parameters"]
    assert user == []
    docdb.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    docdb.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)
    with pytest.raises(ClientError) as error:
        create_cluster(docdb, subnet_group, DBClusterParameterGroupName=name)
    assert code(error) == "DBClusterParameterGroupNotFound"


def test_all_of_rds_is_seen_by_the_tagging_api(
    rds: Any, emulator: RunningEmulator, network: Network, docdb: Any
) -> None:
    tags = [{"Key": "owner", "Value": unique("team")}]
    group, parameters = unique("group"), unique("parameters")
    rds.create_db_subnet_group(
        DBSubnetGroupName=group, DBSubnetGroupDescription="d", SubnetIds=network.subnets, Tags=tags
    )
    rds.create_db_parameter_group(
        DBParameterGroupName=parameters, DBParameterGroupFamily="postgres17", Description="d", Tags=tags
    )
    instance = create(rds, group, Tags=tags)["DBInstanceArn"]
    cluster = create_cluster(docdb, group, Tags=tags)["DBClusterArn"]
    filters = [{"Key": "owner", "Values": [tags[0]["Value"]]}]
    found = emulator.client("resourcegroupstaggingapi").get_resources(TagFilters=filters)
    assert {r["ResourceARN"] for r in found["ResourceTagMappingList"]} == {
        instance,
        cluster,
        f"arn:aws:rds:us-east-1:123456789012:subgrp:{group}",
        f"arn:aws:rds:us-east-1:123456789012:pg:{parameters}",
    }


def test_a_renamed_instance_keeps_its_replicas(rds: Any, subnet_group: str) -> None:
    source, renamed, replica = unique("source"), unique("renamed"), unique("replica")
    create(rds, subnet_group, DBInstanceIdentifier=source, BackupRetentionPeriod=1)
    rds.create_db_instance_read_replica(DBInstanceIdentifier=replica, SourceDBInstanceIdentifier=source)
    rds.modify_db_instance(
        DBInstanceIdentifier=source, NewDBInstanceIdentifier=renamed, ApplyImmediately=True
    )
    assert described(rds, replica)["ReadReplicaSourceDBInstanceIdentifier"] == renamed
    again = f"{replica}-2"
    rds.modify_db_instance(DBInstanceIdentifier=replica, NewDBInstanceIdentifier=again, ApplyImmediately=True)
    assert described(rds, renamed)["ReadReplicaDBInstanceIdentifiers"] == [again]
    rds.delete_db_instance(DBInstanceIdentifier=again, SkipFinalSnapshot=True)
    assert described(rds, renamed)["ReadReplicaDBInstanceIdentifiers"] == []


def test_a_cluster_that_is_not_encrypted_is_restored(docdb: Any, subnet_group: str) -> None:
    name, snapshot, restored = unique("plain"), unique("snapshot"), unique("restored")
    create_cluster(docdb, subnet_group, DBClusterIdentifier=name, StorageEncrypted=False)
    docdb.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier=snapshot)
    cluster = docdb.restore_db_cluster_from_snapshot(
        DBClusterIdentifier=restored, SnapshotIdentifier=snapshot, Engine="docdb"
    )["DBCluster"]
    assert cluster["StorageEncrypted"] is False
    assert "KmsKeyId" not in cluster


def test_a_protected_global_cluster_stays(docdb: Any) -> None:
    name = unique("global")
    docdb.create_global_cluster(GlobalClusterIdentifier=name, Engine="docdb", DeletionProtection=True)
    assert refused(docdb.delete_global_cluster, GlobalClusterIdentifier=name) == "InvalidParameterCombination"
    changed = docdb.modify_global_cluster(GlobalClusterIdentifier=name, DeletionProtection=False)
    assert changed["GlobalCluster"]["DeletionProtection"] is False
    docdb.delete_global_cluster(GlobalClusterIdentifier=name)
    for operation in (docdb.modify_global_cluster, docdb.delete_global_cluster):
        assert refused(operation, GlobalClusterIdentifier=name) == "GlobalClusterNotFoundFault"
