"""Sixteen clients at once: no call fails, no identifier is given twice, nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator

CLIENTS = 16
ROUNDS = 3  # 48 rules: AWS allows 60 in a group


@pytest.fixture(scope="module")
def vpc(emulator: RunningEmulator) -> str:
    return str(emulator.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def in_parallel(work: Any) -> list[Any]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return [item for items in pool.map(work, range(CLIENTS)) for item in items]


def test_subnets_rules_keys_and_policies_in_parallel(emulator: RunningEmulator, vpc: str) -> None:
    group = emulator.client("ec2").create_security_group(GroupName="all", Description="d", VpcId=vpc)[
        "GroupId"
    ]

    def work(number: int) -> list[tuple[str, str]]:
        ec2, kms, iam = emulator.client("ec2"), emulator.client("kms"), emulator.client("iam")
        made = []
        for turn in range(ROUNDS):
            unique = number * ROUNDS + turn
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{unique}.0/24")["Subnet"]["SubnetId"]
            ec2.create_tags(Resources=[subnet], Tags=[{"Key": "number", "Value": str(unique)}])
            rule = ec2.authorize_security_group_ingress(
                GroupId=group,
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 1000 + unique,
                        "ToPort": 1000 + unique,
                        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
                    }
                ],
            )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument="{}")
            made += [("subnet", subnet), ("rule", rule), ("key", key)]
        return made

    made = in_parallel(work)
    assert len(set(made)) == CLIENTS * ROUNDS * 3
    ec2 = emulator.client("ec2")
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    assert {s["SubnetId"] for s in subnets} == {name for kind, name in made if kind == "subnet"}
    assert {s["Tags"][0]["Value"] for s in subnets} == {str(i) for i in range(CLIENTS * ROUNDS)}
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    ingress = {r["SecurityGroupRuleId"] for r in rules["SecurityGroupRules"] if not r["IsEgress"]}
    assert ingress == {name for kind, name in made if kind == "rule"}


def test_a_service_is_first_used_by_many_at_once(emulator: RunningEmulator) -> None:
    def work(number: int) -> list[str]:
        region = ("eu-west-1", "eu-central-1", "ap-south-1", "us-west-2")[number % 4]
        sqs, logs = emulator.client("sqs", region), emulator.client("logs", region)
        logs.create_log_group(logGroupName=f"group-{number}")
        return [sqs.create_queue(QueueName=f"queue-{number}")["QueueUrl"]]

    assert len(set(in_parallel(work))) == CLIENTS
    queues = {item for item in emulator.inventory() if item[0] == "sqs"}
    assert len(queues) == CLIENTS
