"""Each refusal beside the neighbour that AWS allows."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network, unique

PASSWORD = "correct-horse-battery"
ROOT = "arn:aws:iam::123456789012:root"


@pytest.fixture(scope="module")
def network(emulator: RunningEmulator) -> Network:
    return make_network(emulator)


@pytest.fixture(scope="module")
def dead_key(emulator: RunningEmulator) -> str:
    kms = emulator.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    return str(key)


@pytest.fixture(scope="module")
def groups(emulator: RunningEmulator, network: Network) -> dict[str, str]:
    """Subnet groups of RDS and ElastiCache over three zones."""
    emulator.client("rds").create_db_subnet_group(
        DBSubnetGroupName="db", DBSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    emulator.client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="cache", CacheSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    return {"rds": "db", "elasticache": "cache"}


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Message"]
    return str(error.value.response["Error"]["Code"])


def role(emulator: RunningEmulator, service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    created = emulator.client("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=document)
    return str(created["Role"]["Arn"])


@pytest.fixture
def make_instance(emulator: RunningEmulator, groups: dict[str, str]) -> Callable[..., Any]:
    def make(**overrides: Any) -> Any:
        arguments = {
            "DBInstanceIdentifier": unique("instance"),
            "Engine": "postgres",
            "DBInstanceClass": "db.m7g.large",
            "AllocatedStorage": 100,
            "StorageType": "gp3",
            "MasterUsername": "master",
            "MasterUserPassword": PASSWORD,
            "DBSubnetGroupName": groups["rds"],
            "BackupRetentionPeriod": 7,
            **overrides,
        }
        arguments = {name: value for name, value in arguments.items() if value is not None}
        return emulator.client("rds").create_db_instance(**arguments)["DBInstance"]

    return make


INSTANCES = [
    ({"EngineVersion": "17.2"}, {"EngineVersion": "17.10"}, "InvalidParameterCombination"),
    ({"EngineVersion": "10"}, {"EngineVersion": "17"}, "InvalidParameterCombination"),
    ({"EngineVersion": "19"}, {"EngineVersion": "17.99"}, "InvalidParameterCombination"),
    ({"EngineVersion": "16.8"}, {"EngineVersion": "13.20"}, "InvalidParameterCombination"),
    ({"EngineVersion": "1"}, {"EngineVersion": "18"}, "InvalidParameterCombination"),
    ({"BackupRetentionPeriod": 36}, {"BackupRetentionPeriod": 35}, "InvalidParameterValue"),
    ({"MasterUserPassword": "seven77"}, {"MasterUserPassword": "eight888"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "with/slash"}, {"MasterUserPassword": "with-dash1"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "x" * 129}, {"MasterUserPassword": "x" * 128}, "InvalidParameterValue"),
    ({"MasterUsername": "admin"}, {"MasterUsername": "postgres"}, "InvalidParameterValue"),
    ({"AllocatedStorage": 19}, {"AllocatedStorage": 20}, "InvalidParameterCombination"),
    ({"Iops": 12000}, {"Iops": 12000, "AllocatedStorage": 400}, "InvalidParameterCombination"),
    (
        {"StorageThroughput": 499, "AllocatedStorage": 400},
        {"StorageThroughput": 500, "AllocatedStorage": 400},
        "InvalidParameterCombination",
    ),
    (
        {"DatabaseInsightsMode": "advanced", "EnablePerformanceInsights": True},
        {
            "DatabaseInsightsMode": "advanced",
            "EnablePerformanceInsights": True,
            "PerformanceInsightsRetentionPeriod": 465,
        },
        "InvalidParameterCombination",
    ),
    ({"VpcSecurityGroupIds": ["sg-0"]}, {}, "InvalidParameterValue"),
]


@pytest.mark.parametrize(("wrong", "right", "expected"), INSTANCES)
def test_instances(
    make_instance: Callable[..., Any], wrong: dict[str, Any], right: dict[str, Any], expected: str
) -> None:
    assert refused(make_instance, **wrong) == expected
    make_instance(**right)


def test_keys_and_roles_of_instances(
    emulator: RunningEmulator, make_instance: Callable[..., Any], dead_key: str
) -> None:
    assert refused(make_instance, StorageEncrypted=True, KmsKeyId=dead_key) == "KMSKeyNotAccessibleFault"
    absent = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    assert refused(make_instance, StorageEncrypted=True, KmsKeyId=absent) == "KMSKeyNotAccessibleFault"
    wrong, right = role(emulator, "ec2.amazonaws.com"), role(emulator, "monitoring.rds.amazonaws.com")
    assert refused(make_instance, MonitoringInterval=60, MonitoringRoleArn=wrong) == "InvalidParameterValue"
    make_instance(MonitoringInterval=60, MonitoringRoleArn=right)


def test_replicas(emulator: RunningEmulator, make_instance: Callable[..., Any]) -> None:
    rds = emulator.client("rds")

    def replicate(source: dict[str, Any]) -> Any:
        return rds.create_db_instance_read_replica(
            DBInstanceIdentifier=unique("replica"), SourceDBInstanceIdentifier=source["DBInstanceIdentifier"]
        )

    managed = make_instance(ManageMasterUserPassword=True, MasterUserPassword=None)
    assert refused(lambda: replicate(managed)) == "InvalidParameterValue"
    assert refused(lambda: replicate(make_instance(BackupRetentionPeriod=0))) == "InvalidDBInstanceState"
    source = make_instance()
    replica = replicate(source)["DBInstance"]["DBInstanceIdentifier"]
    name = source["DBInstanceIdentifier"]
    code = refused(rds.modify_db_instance, DBInstanceIdentifier=name, BackupRetentionPeriod=0)
    assert code == "InvalidParameterCombination"
    assert refused(
        rds.delete_db_instance, DBInstanceIdentifier=replica, FinalDBSnapshotIdentifier="final"
    ) == ("InvalidParameterCombination")
    rds.delete_db_instance(DBInstanceIdentifier=replica, SkipFinalSnapshot=True)
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=0)


def test_deletion_needs_a_decision(emulator: RunningEmulator, make_instance: Callable[..., Any]) -> None:
    rds, name = emulator.client("rds"), make_instance(DeletionProtection=True)["DBInstanceIdentifier"]
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "final"}
    for options in ({}, both, {"SkipFinalSnapshot": True}):
        assert refused(rds.delete_db_instance, DBInstanceIdentifier=name, **options) == (
            "InvalidParameterCombination"
        )
    rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_subnet_groups_span_zones(emulator: RunningEmulator, network: Network) -> None:
    rds = emulator.client("rds")
    arguments = {"DBSubnetGroupName": unique("group"), "DBSubnetGroupDescription": "d"}
    assert refused(rds.create_db_subnet_group, SubnetIds=network.subnets[:1], **arguments) == (
        "DBSubnetGroupDoesNotCoverEnoughAZs"
    )
    rds.create_db_subnet_group(SubnetIds=network.subnets[:2], **arguments)


@pytest.mark.parametrize(
    ("parameter", "method", "expected"),
    [
        ("a_parameter_newer_than_our_list", "immediate", None),
        ("shared_buffers", "immediate", "InvalidParameterCombination"),
        ("shared_buffers", "pending-reboot", None),
        ("work_mem", "immediate", None),
        ("work_mem", "pending-reboot", None),
    ],
)
def test_parameters_of_rds(
    emulator: RunningEmulator, parameter: str, method: str, expected: str | None
) -> None:
    rds, name = emulator.client("rds"), unique("parameters")
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="d"
    )
    change = {"ParameterName": parameter, "ParameterValue": "1", "ApplyMethod": method}
    arguments = {"DBParameterGroupName": name, "Parameters": [change]}
    if expected:
        assert refused(rds.modify_db_parameter_group, **arguments) == expected
    else:
        rds.modify_db_parameter_group(**arguments)


@pytest.mark.parametrize("family", ["postgres9", "postgres99", "docdb2.0"])
def test_families(emulator: RunningEmulator, family: str) -> None:
    rds = emulator.client("rds")
    arguments = {"DBParameterGroupFamily": family, "Description": "d"}
    assert refused(rds.create_db_parameter_group, DBParameterGroupName=unique("p"), **arguments) == (
        "InvalidParameterValue"
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"EngineVersion": "2.0.0"}, {"EngineVersion": "5.0.0"}),
        ({"BackupRetentionPeriod": 0}, {"BackupRetentionPeriod": 1}),
        ({"MasterUserPassword": "x" * 101}, {"MasterUserPassword": "x" * 100}),
        ({"MasterUserPassword": 'quo"ted-one'}, {"MasterUserPassword": "quoted-none"}),
        ({"MasterUsername": "admin"}, {"MasterUsername": "owner"}),
        ({"VpcSecurityGroupIds": ["sg-0"]}, {}),
    ],
)
def test_documentdb(
    emulator: RunningEmulator, groups: dict[str, str], wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    docdb = emulator.client("docdb")
    base = {
        "Engine": "docdb",
        "MasterUsername": "master",
        "MasterUserPassword": PASSWORD,
        "DBSubnetGroupName": groups["rds"],
    }
    code = refused(docdb.create_db_cluster, **{"DBClusterIdentifier": unique("c"), **base, **wrong})
    assert code in {"InvalidParameterValue", "InvalidParameterCombination"}
    name = unique("cluster")
    docdb.create_db_cluster(**{"DBClusterIdentifier": name, **base, **right})
    assert refused(docdb.delete_db_cluster, DBClusterIdentifier=name) == "InvalidParameterCombination"
    docdb.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


CACHES = [
    ({"Engine": "valkey", "EngineVersion": "7.1"}, {"Engine": "valkey", "EngineVersion": "8.1"}),
    ({"Engine": "redis", "EngineVersion": "8.0"}, {"Engine": "redis", "EngineVersion": "7.1"}),
    ({"Engine": "other"}, {"Engine": "valkey"}),
    (
        {"AutomaticFailoverEnabled": True, "NumCacheClusters": 1},
        {"AutomaticFailoverEnabled": True, "NumCacheClusters": 2},
    ),
    (
        {"MultiAZEnabled": True, "NumCacheClusters": 2},
        {"MultiAZEnabled": True, "AutomaticFailoverEnabled": True, "NumCacheClusters": 2},
    ),
    ({"NumCacheClusters": 7}, {"NumCacheClusters": 6}),
    (
        {"AuthToken": "x" * 16, "TransitEncryptionEnabled": False},
        {"AuthToken": "x" * 16, "TransitEncryptionEnabled": True},
    ),
    ({"SnapshotRetentionLimit": 36}, {"SnapshotRetentionLimit": 35}),
    ({"SecurityGroupIds": ["sg-0"]}, {}),
    ({"ReplicationGroupId": "x" * 41}, {"ReplicationGroupId": "x" * 40}),
    ({"ReplicationGroupId": "two--hyphens"}, {"ReplicationGroupId": "one-hyphen"}),
]


@pytest.mark.parametrize(("wrong", "right"), CACHES)
def test_replication_groups(
    emulator: RunningEmulator, groups: dict[str, str], wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    cache = emulator.client("elasticache")
    base = {
        "ReplicationGroupDescription": "d",
        "Engine": "valkey",
        "CacheSubnetGroupName": groups["elasticache"],
    }
    code = refused(cache.create_replication_group, **{"ReplicationGroupId": unique("r"), **base, **wrong})
    assert code in {"InvalidParameterValue", "InvalidParameterCombination"}
    cache.create_replication_group(**{"ReplicationGroupId": unique("r"), **base, **right})


def test_users_and_parameters_of_elasticache(emulator: RunningEmulator, dead_key: str) -> None:
    cache = emulator.client("elasticache")
    user = {"UserName": "u", "Engine": "valkey", "AccessString": "on ~* +@all"}
    assert refused(cache.create_user, UserId=unique("u"), Passwords=["x" * 15], **user) == (
        "InvalidParameterValue"
    )
    cache.create_user(UserId=unique("u"), Passwords=["x" * 16], **user)
    assert refused(
        cache.create_cache_parameter_group,
        CacheParameterGroupName="p",
        CacheParameterGroupFamily="redis8",
        Description="d",
    ) == ("InvalidParameterValue")
    cache.create_cache_parameter_group(
        CacheParameterGroupName="p", CacheParameterGroupFamily="valkey8", Description="d"
    )
    assert refused(
        cache.create_replication_group,
        ReplicationGroupId=unique("r"),
        ReplicationGroupDescription="d",
        Engine="valkey",
        KmsKeyId=dead_key,
    ) == ("InvalidParameterValue")


BROKERS = [
    ({"EngineVersion": "3.8"}, {"EngineVersion": "4.3"}),
    ({"HostInstanceType": "mq.m5.large"}, {"HostInstanceType": "mq.m5.large", "EngineVersion": "3.13"}),
    ({"HostInstanceType": "mq.t3.micro", "EngineVersion": "3.13"}, {"HostInstanceType": "mq.m7g.medium"}),
    ({"Users": [{"Username": "u", "Password": "short"}]}, {}),
    ({"Users": [{"Username": "u", "Password": "with,comma,inside"}]}, {}),
    ({"Users": [{"Username": "u", "Password": "aaaaaaaaaaaaaaab"}]}, {}),
    ({"Users": []}, {}),
    ({"PubliclyAccessible": True}, {"PubliclyAccessible": True, "SecurityGroups": [], "SubnetIds": []}),
    ({"SecurityGroups": ["sg-0"]}, {}),
    ({"BrokerName": "with space"}, {"BrokerName": "without_space"}),
]


@pytest.mark.parametrize(("wrong", "right"), BROKERS)
def test_brokers(
    emulator: RunningEmulator, network: Network, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    mq = emulator.client("mq")
    base = {
        "EngineType": "RABBITMQ",
        "EngineVersion": "4.2",
        "DeploymentMode": "CLUSTER_MULTI_AZ",
        "HostInstanceType": "mq.m7g.large",
        "PubliclyAccessible": False,
        "SubnetIds": network.subnets,
        "SecurityGroups": [network.security_group],
        "Users": [{"Username": "administrator", "Password": PASSWORD}],
    }
    code = refused(mq.create_broker, **{"BrokerName": unique("b"), **base, **wrong})
    assert code == "BadRequestException"
    broker = mq.create_broker(**{"BrokerName": unique("b"), **base, **right})["BrokerId"]
    assert refused(mq.create_user, BrokerId=broker, Username="x", Password=PASSWORD) == "BadRequestException"
    mq.delete_broker(BrokerId=broker)


def test_subnets_of_brokers(emulator: RunningEmulator, network: Network) -> None:
    mq = emulator.client("mq")
    base = {
        "EngineType": "RABBITMQ",
        "EngineVersion": "4.2",
        "HostInstanceType": "mq.m7g.large",
        "PubliclyAccessible": False,
        "Users": [{"Username": "administrator", "Password": PASSWORD}],
    }
    twice = [network.subnets[0], network.subnets[0]]
    for mode, subnets in (
        ("CLUSTER_MULTI_AZ", twice),
        ("CLUSTER_MULTI_AZ", ["subnet-0"]),
        ("SINGLE_INSTANCE", network.subnets),
    ):
        code = refused(
            mq.create_broker, BrokerName=unique("b"), DeploymentMode=mode, SubnetIds=subnets, **base
        )
        assert code == "BadRequestException"


def test_network(emulator: RunningEmulator) -> None:
    ec2 = emulator.client("ec2")
    for block in ("10.0.0.0/15", "10.0.0.0/29"):
        assert refused(ec2.create_vpc, CidrBlock=block) == "InvalidVpc.Range"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.128/25") == "InvalidSubnet.Conflict"
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24") == "InvalidSubnet.Range"
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = {"SubnetId": subnet, "AllocationId": address}
    assert refused(ec2.create_nat_gateway, **nat) == "Gateway.NotAttached"
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_nat_gateway(**nat)
    assert refused(ec2.create_nat_gateway, **nat) == "Resource.AlreadyAssociated"
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    ec2.create_route(**route)
    assert refused(ec2.create_route, **route) == "RouteAlreadyExists"


def test_endpoints(emulator: RunningEmulator) -> None:
    ec2, network = emulator.client("ec2"), make_network(emulator)
    interface = {
        "VpcId": network.vpc,
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.us-east-1.logs",
        "SubnetIds": network.subnets,
        "PrivateDnsEnabled": True,
    }
    assert refused(ec2.create_vpc_endpoint, **interface) == "InvalidParameter"
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    ec2.create_vpc_endpoint(**interface)
    far = {**interface, "ServiceName": "com.amazonaws.eu-west-1.logs"}
    assert refused(ec2.create_vpc_endpoint, **far) == "InvalidServiceName"
    crowd = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1a")
    two = {**interface, "SubnetIds": [network.subnets[0], crowd["Subnet"]["SubnetId"]]}
    assert refused(ec2.create_vpc_endpoint, **two) == "DuplicateSubnetsInSameZone"
    assert refused(ec2.create_vpc_endpoint, **{**interface, "SecurityGroupIds": ["sg-0"]}) == (
        "InvalidGroup.NotFound"
    )
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    gateway = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "RouteTableIds": [table]}
    ec2.create_vpc_endpoint(**gateway)
    assert refused(ec2.create_vpc_endpoint, **gateway) == "RouteAlreadyExists"


def test_a_security_group_that_is_carried_stays(
    emulator: RunningEmulator, network: Network, make_instance: Callable[..., Any]
) -> None:
    ec2, rds = emulator.client("ec2"), emulator.client("rds")
    group = ec2.create_security_group(GroupName=unique("g"), Description="d", VpcId=network.vpc)["GroupId"]
    name = make_instance(VpcSecurityGroupIds=[group])["DBInstanceIdentifier"]
    assert refused(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    ec2.delete_security_group(GroupId=group)


def test_a_network_with_something_in_it_stays(emulator: RunningEmulator) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.0.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert refused(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=subnet)
    group = ec2.create_security_group(VpcId=vpc, GroupName="hand-made", Description="by hand")["GroupId"]
    assert refused(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    assert vpc not in {found["VpcId"] for found in ec2.describe_vpcs()["Vpcs"]}


def test_flow_logs_need_a_role_that_trusts_them(emulator: RunningEmulator, network: Network) -> None:
    ec2 = emulator.client("ec2")
    arguments = {
        "ResourceIds": [network.vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "/flow",
    }
    emulator.client("logs").create_log_group(logGroupName="/flow")
    wrong, right = role(emulator, "ec2.amazonaws.com"), role(emulator, "vpc-flow-logs.amazonaws.com")
    assert refused(ec2.create_flow_logs, DeliverLogsPermissionArn=wrong, **arguments) == "InvalidParameter"
    assert ec2.create_flow_logs(DeliverLogsPermissionArn=right, **arguments)["FlowLogIds"]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


OWNER = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": ROOT}}
LOGS = {
    "Effect": "Allow",
    "Action": ["kms:Encrypt*", "kms:Decrypt*"],
    "Resource": "*",
    "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
}


def test_keys_that_lock_their_owner_out(emulator: RunningEmulator) -> None:
    kms = emulator.client("kms")
    assert refused(kms.create_key, Policy=policy(LOGS)) == "MalformedPolicyDocumentException"
    assert refused(kms.create_key, Policy="not json") == "MalformedPolicyDocumentException"
    kms.create_key(Policy=policy(LOGS), BypassPolicyLockoutSafetyCheck=True)
    kms.create_key(Policy=policy({**OWNER, "Action": ["kms:P*"]}))
    key = kms.create_key(Policy=policy(OWNER))["KeyMetadata"]["KeyId"]
    assert refused(kms.put_key_policy, KeyId=key, Policy=policy(LOGS)) == "MalformedPolicyDocumentException"


def test_log_groups_with_keys(emulator: RunningEmulator, dead_key: str) -> None:
    kms, logs = emulator.client("kms"), emulator.client("logs")
    closed = kms.create_key(Policy=policy(OWNER))["KeyMetadata"]["Arn"]
    opened = kms.create_key(Policy=policy(OWNER, LOGS))["KeyMetadata"]["Arn"]
    for key, code in ((closed, "AccessDeniedException"), (dead_key, "InvalidParameterException")):
        assert refused(logs.create_log_group, logGroupName=unique("/g"), kmsKeyId=key) == code
    logs.create_log_group(logGroupName=unique("/g"), kmsKeyId=opened)


def test_a_secret_that_is_going_keeps_its_name(emulator: RunningEmulator) -> None:
    secrets = emulator.client("secretsmanager")
    secrets.create_secret(Name="going", SecretString="x")
    secrets.delete_secret(SecretId="going")
    assert refused(secrets.create_secret, Name="going", SecretString="x") == "InvalidRequestException"


def test_kubernetes_versions(emulator: RunningEmulator, network: Network) -> None:
    eks, cluster_role = emulator.client("eks"), role(emulator, "eks.amazonaws.com")
    arguments = {"roleArn": cluster_role, "resourcesVpcConfig": {"subnetIds": network.subnets}}
    assert refused(eks.create_cluster, name="old", version="1.19", **arguments) == "InvalidParameterException"
    eks.create_cluster(name="new", version="1.35", **arguments)


def test_a_protected_load_balancer_stays(emulator: RunningEmulator, network: Network) -> None:
    elb = emulator.client("elbv2")
    arn = elb.create_load_balancer(Name="protected", Type="network", Subnets=network.subnets)[
        "LoadBalancers"
    ][0]["LoadBalancerArn"]
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    assert refused(elb.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"
    attribute["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    elb.delete_load_balancer(LoadBalancerArn=arn)


def test_an_image_repository_with_images_stays(emulator: RunningEmulator) -> None:
    ecr = emulator.client("ecr")
    ecr.create_repository(repositoryName="full")
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": {}, "layers": []})
    ecr.put_image(repositoryName="full", imageManifest=manifest, imageTag="1")
    assert refused(ecr.delete_repository, repositoryName="full") == "RepositoryNotEmptyException"
    ecr.delete_repository(repositoryName="full", force=True)


def test_every_refusal_names_its_source(emulator: RunningEmulator) -> None:
    services = emulator.api("GET", "provenance")["services"].values()
    rules = [rule for service in services for rule in service["refused"]]
    assert len(rules) > 30
    assert all(rule["source"].startswith("https://docs.aws.amazon.com/") for rule in rules)
