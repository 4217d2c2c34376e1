import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator, start
from sandbox.tests.emulator.network import make_network

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def touch(emulator: RunningEmulator, region: str) -> None:
    """Uses every service once, so that moto makes what a fresh account has."""
    for service, operations in {
        "ec2": ["describe_vpcs", "describe_security_groups", "describe_snapshots"],
        "rds": ["describe_db_instances"],
        "elasticache": ["describe_users", "describe_cache_parameter_groups"],
        "mq": ["list_brokers"],
        "secretsmanager": ["list_secrets"],
        "kms": ["list_keys", "list_aliases"],
        "logs": ["describe_log_groups"],
        "sns": ["list_topics"],
        "sqs": ["list_queues"],
        "cloudwatch": ["describe_alarms"],
        "lambda": ["list_functions"],
        "ecr": ["describe_repositories"],
        "iam": ["list_roles", "list_policies"],
        "s3": ["list_buckets"],
        "elbv2": ["describe_load_balancers"],
        "eks": ["list_clusters"],
        "events": ["list_event_buses"],
        "ssm": ["describe_parameters"],
    }.items():
        client = emulator.client(service, region)
        for operation in operations:
            getattr(client, operation)()


def test_a_fresh_account_has_nothing(tmp_path: Path) -> None:
    process, emulator = start(tmp_path)
    try:
        assert emulator.inventory() == set()
        for region in ("us-east-1", "us-west-2"):
            touch(emulator, region)
        assert emulator.inventory() == set()
    finally:
        process.terminate()
        process.wait(10)


def test_a_network_taken_down_leaves_nothing(emulator: RunningEmulator) -> None:
    before, network, ec2 = emulator.inventory(), make_network(emulator), emulator.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.logs",
        SubnetIds=network.subnets,
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.delete_nat_gateway(NatGatewayId=nat)
    with pytest.raises(ec2.exceptions.ClientError, match="NatGatewayNotFound"):
        ec2.delete_nat_gateway(NatGatewayId="nat-0")
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_security_group(GroupId=network.security_group)
    for subnet in network.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=network.vpc)
    assert emulator.inventory() == before


def make_everything(emulator: RunningEmulator) -> None:
    network = make_network(emulator)
    ec2: Any = emulator.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.create_network_acl(VpcId=network.vpc)
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.logs",
        SubnetIds=network.subnets,
        PrivateDnsEnabled=False,
    )
    role = emulator.client("iam").create_role(RoleName="everything", AssumeRolePolicyDocument=TRUST)
    assert role["Role"]["Arn"]
    emulator.client("logs").create_log_group(logGroupName="/everything", tags={"a": "b"})
    emulator.client("sns").create_topic(Name="everything", Tags=[{"Key": "a", "Value": "b"}])
    emulator.client("ecr").create_repository(repositoryName="everything", tags=[{"Key": "a", "Value": "b"}])
    emulator.client("s3").create_bucket(Bucket="everything")
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName="everything",
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )
    key = emulator.client("kms").create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    emulator.client("kms").create_alias(AliasName="alias/everything", TargetKeyId=key)
    emulator.client("secretsmanager").create_secret(Name="everything", Tags=[{"Key": "a", "Value": "b"}])


EXPECTED = {
    ("ec2", "vpc"), ("ec2", "subnet"), ("ec2", "security-group"), ("ec2", "internet-gateway"),
    ("ec2", "elastic-ip"), ("ec2", "nat-gateway"), ("ec2", "route-table"), ("ec2", "network-acl"),
    ("ec2", "volume"), ("ec2", "vpc-endpoint"), ("iam", "role"), ("logs", "log-group"), ("sns", "topic"),
    ("ecr", "repository"), ("s3", "bucket"), ("cloudwatch", "alarm"), ("kms", "key"), ("kms", "alias"),
    ("secretsmanager", "secret"),
}  # fmt: skip


def test_everything_that_was_made_is_listed_with_its_tags(emulator: RunningEmulator) -> None:
    make_everything(emulator)
    items = emulator.api("GET", "inventory")
    assert {(item["service"], item["type"]) for item in items} == EXPECTED
    tagged = {item["service"] for item in items if item["tags"] == {"a": "b"}}
    assert tagged == {"logs", "sns", "ecr", "kms", "secretsmanager"}


@pytest.mark.parametrize(
    ("service", "state"), [("kms", "pending-deletion"), ("secretsmanager", "pending-deletion")]
)
def test_what_outlives_its_deletion_says_so(emulator: RunningEmulator, service: str, state: str) -> None:
    if service == "kms":
        kms = emulator.client("kms")
        identifier = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.schedule_key_deletion(KeyId=identifier, PendingWindowInDays=7)
    else:
        identifier = "going"
        emulator.client("secretsmanager").create_secret(Name=identifier, SecretString="x")
        emulator.client("secretsmanager").delete_secret(SecretId=identifier, RecoveryWindowInDays=7)
    items = emulator.api("GET", "inventory")
    assert [item["state"] for item in items if item["id"] == identifier] == [state]


def test_provenance_tells_ours_from_motos(emulator: RunningEmulator) -> None:
    provenance = emulator.api("GET", "provenance")
    assert provenance["moto"] == "5.2.5"
    services = provenance["services"]
    assert "CreateCacheParameterGroup" in services["elasticache"]["added"]
    assert "CreateReplicationGroup" in services["elasticache"]["corrected"]
    assert "DescribeDBEngineVersions" in services["rds"]["added"]
    assert "ModifyDBSubnetGroup" in services["rds"]["corrected"]
    assert "DescribeDBSnapshots" not in services["rds"]["added"] + services["rds"]["corrected"]
