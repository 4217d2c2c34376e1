"""Each proof can fail: the fact is turned round in AWS, and the audit says so."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations.clients import Clients
from operations.cluster.connection import Clusters
from operations.errors import OperationError
from operations.proofs.contract import Claim, read_claims
from operations.proofs.evidence import LOOKUPS
from operations.proofs.judge import objection, prove
from tests.unit.operations.stack_on_disk import state

pytestmark = pytest.mark.mission_M72

NO_CLUSTERS = Clusters(state(), state)
ROOT = Path(__file__).resolve().parents[3]


def client(name: str) -> Any:
    return boto3.client(name, region_name="us-east-1")  # type: ignore[call-overload]


def claim(fact: str, subject: str, value: Any, comparison: str = "equals", operand: Any = True) -> Claim:
    return Claim("postgres", fact, subject, value, comparison, operand, ("SOC2-CC6.1",))


@dataclass(frozen=True)
class Case:
    """A fact that holds, and how it stops holding."""

    claim: Claim
    break_it: Callable[[], Any]


def database(aws: Clients) -> list[Case]:
    del aws
    rds = client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        EngineVersion="17.2",
        MasterUsername="a",
        MasterUserPassword="password1",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/k",
        MultiAZ=True,
        PubliclyAccessible=False,
        BackupRetentionPeriod=30,
        DeletionProtection=True,
        AutoMinorVersionUpgrade=True,
    )

    def modify(**change: Any) -> Callable[[], Any]:
        return lambda: rds.modify_db_instance(DBInstanceIdentifier="db", ApplyImmediately=True, **change)

    def again(**change: Any) -> Callable[[], Any]:
        def do() -> None:
            rds.modify_db_instance(DBInstanceIdentifier="db", DeletionProtection=False)
            rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
            rds.create_db_instance(
                DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", **change
            )

        return do

    return [
        Case(claim("rds.instance.multiAz", "db", True), modify(MultiAZ=False)),
        Case(
            claim("rds.instance.backupRetentionDays", "db", 30, "atLeast", 30),
            modify(BackupRetentionPeriod=29),
        ),
        Case(
            claim("rds.instance.publiclyAccessible", "db", False, "equals", False),
            modify(PubliclyAccessible=True),
        ),
        Case(
            claim("rds.instance.autoMinorVersionUpgrade", "db", True), modify(AutoMinorVersionUpgrade=False)
        ),
        Case(claim("rds.instance.deletionProtection", "db", True), modify(DeletionProtection=False)),
        Case(claim("rds.instance.majorVersion", "db", "17", "oneOf", ["17"]), modify(EngineVersion="13.2")),
        Case(claim("rds.instance.storageEncrypted", "db", True), again(StorageEncrypted=False)),
    ]


INSIDE = "tcp 5432-5432 10.0.0.0/16"
OPENED_BY_HAND = (
    ("0.0.0.0/0", (5432, 5432)),
    ("0.0.0.0/1", (5432, 5432)),
    ("8.0.0.0/8", (5432, 5432)),
    ("10.0.0.0/8", (5432, 5432)),
    ("::/0", (5432, 5432)),
    ("10.0.0.0/16", (22, 22)),
    ("10.0.7.0/24", (5432, 5432)),
)


def network(aws: Clients) -> list[Case]:
    del aws
    ec2, logs = client("ec2"), client("logs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    (default,) = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    for permissions, revoke in (
        ("IpPermissions", ec2.revoke_security_group_ingress),
        ("IpPermissionsEgress", ec2.revoke_security_group_egress),
    ):
        if default[permissions]:
            revoke(GroupId=default["GroupId"], IpPermissions=default[permissions])

    def admit(group_id: str, source: str, ports: tuple[int, int] = (5432, 5432)) -> Any:
        kind = ("Ipv6Ranges", "CidrIpv6") if ":" in source else ("IpRanges", "CidrIp")
        rule = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1], kind[0]: [{kind[1]: source}]}
        return ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])

    rule = admit(group, "10.0.0.0/16")["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    by_hand = []
    for number, (source, ports) in enumerate(OPENED_BY_HAND):
        opened = ec2.create_security_group(GroupName=f"g{number}", Description="g", VpcId=vpc)["GroupId"]
        admit(opened, "10.0.0.0/16")
        by_hand.append((opened, source, ports))
    logs.create_log_group(logGroupName="/shop", tags={})
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=365)
    logs.create_log_group(logGroupName="/shop-other")

    def open_rule() -> None:
        ec2.modify_security_group_rules(
            GroupId=group,
            SecurityGroupRules=[
                {
                    "SecurityGroupRuleId": rule,
                    "SecurityGroupRule": {
                        "IpProtocol": "tcp",
                        "FromPort": 5432,
                        "ToPort": 5432,
                        "CidrIpv4": "0.0.0.0/0",
                    },
                }
            ],
        )

    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    isolated = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.s3",
        RouteTableIds=[isolated],
        VpcEndpointType="Gateway",
    )

    return [
        Case(
            claim("ec2.routeTable.waysOut", isolated, [], "equals", []),
            lambda: ec2.create_route(
                RouteTableId=isolated, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
            ),
        ),
        Case(
            claim("ec2.defaultSecurityGroup.rules", default["GroupId"], 0, "equals", 0),
            lambda: admit(default["GroupId"], "10.0.0.0/16"),
        ),
        Case(
            claim("ec2.securityGroupRule.sources", rule, ["10.0.0.0/16"], "within", ["10.0.0.0/16"]),
            open_rule,
        ),
        *(
            Case(
                claim("ec2.securityGroup.openings", each, [INSIDE], "within", ["10.0.0.0/16"]),
                functools.partial(admit, each, source, ports),
            )
            for each, source, ports in by_hand
        ),
        Case(
            claim("logs.logGroup.retentionDays", "/shop", 365, "atLeast", 90),
            lambda: logs.put_retention_policy(logGroupName="/shop", retentionInDays=30),
        ),
    ]


def for_everyone(action: str) -> str:
    statement = {"Sid": "open", "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def keys_and_images(aws: Clients) -> list[Case]:
    del aws
    kms, ecr, secrets, sns = client("kms"), client("ecr"), client("secretsmanager"), client("sns")
    key, doomed = kms.create_key()["KeyMetadata"], kms.create_key()["KeyMetadata"]["KeyId"]
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    kms.enable_key_rotation(KeyId=key["KeyId"])
    ecr.create_repository(
        repositoryName="shop/order",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key["Arn"]},
    )
    secret = secrets.create_secret(Name="s", KmsKeyId=key["Arn"], SecretString="x")["ARN"]
    return [
        Case(
            claim("kms.key.rotation", key["KeyId"], True),
            lambda: kms.disable_key_rotation(KeyId=key["KeyId"]),
        ),
        Case(
            claim("kms.key.state", key["KeyId"], "Enabled", "equals", "Enabled"),
            lambda: kms.disable_key(KeyId=key["KeyId"]),
        ),
        Case(
            claim("kms.key.state", doomed, "Enabled", "equals", "Enabled"),
            lambda: kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=30),
        ),
        Case(
            claim("ecr.repository.publicPolicy", "shop/order", False, "equals", False),
            lambda: ecr.set_repository_policy(
                repositoryName="shop/order", policyText=for_everyone("ecr:BatchGetImage")
            ),
        ),
        Case(
            claim("secretsmanager.secret.publicPolicy", secret, False, "equals", False),
            lambda: secrets.put_resource_policy(
                SecretId=secret, ResourcePolicy=for_everyone("secretsmanager:GetSecretValue")
            ),
        ),
        Case(
            claim("sns.topic.publicPolicy", topic, False, "equals", False),
            lambda: sns.set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=for_everyone("sns:Publish")
            ),
        ),
        Case(
            claim("ecr.repository.tagMutability", "shop/order", "IMMUTABLE", "oneOf", ["IMMUTABLE"]),
            lambda: ecr.put_image_tag_mutability(repositoryName="shop/order", imageTagMutability="MUTABLE"),
        ),
        Case(
            claim("ecr.repository.scanOnPush", "shop/order", True),
            lambda: ecr.put_image_scanning_configuration(
                repositoryName="shop/order", imageScanningConfiguration={"scanOnPush": False}
            ),
        ),
        Case(
            claim("ecr.repository.encryptionKey", "shop/order", key["Arn"], "present", None),
            lambda: ecr.delete_repository(repositoryName="shop/order"),
        ),
        Case(
            claim("secretsmanager.secret.encryptionKey", secret, key["Arn"], "present", None),
            lambda: secrets.update_secret(SecretId=secret, KmsKeyId="alias/another"),
        ),
    ]


def brokers(aws: Clients) -> list[Case]:
    del aws
    mq = client("mq")
    broker = mq.create_broker(
        BrokerName="shop",
        AutoMinorVersionUpgrade=True,
        DeploymentMode="CLUSTER_MULTI_AZ",
        EngineType="RABBITMQ",
        EngineVersion="4.2",
        HostInstanceType="mq.m7g.large",
        PubliclyAccessible=False,
        Logs={"General": True},
        Users=[{"Username": "admin", "Password": "password1234"}],
    )["BrokerId"]
    return [
        Case(
            claim("mq.broker.generalLogs", broker, True),
            lambda: mq.update_broker(BrokerId=broker, Logs={"General": False}),
        ),
        Case(
            claim("mq.broker.version", broker, "4.2", "oneOf", ["4.2"]),
            lambda: mq.update_broker(BrokerId=broker, EngineVersion="3.8"),
        ),
        Case(
            claim("mq.broker.deploymentMode", broker, "CLUSTER_MULTI_AZ", "equals", "CLUSTER_MULTI_AZ"),
            lambda: mq.delete_broker(BrokerId=broker),
        ),
    ]


@pytest.mark.parametrize("scene", [database, network, keys_and_images, brokers])
def test_a_proof_holds_until_the_fact_is_turned_round(
    aws: Clients, scene: Callable[[Clients], list[Case]]
) -> None:
    for case in scene(aws):
        (before,) = prove([case.claim], aws, NO_CLUSTERS)
        assert before.passed, f"{case.claim.fact}: {before.reason}"
        assert before.call.startswith(f"{LOOKUPS[case.claim.fact].service}.")
        case.break_it()
        (after,) = prove([case.claim], aws, NO_CLUSTERS)
        assert not after.passed, case.claim.fact
        assert after.reason


@pytest.mark.parametrize(
    ("comparison", "operand", "observed", "claimed", "complaint"),
    [
        ("equals", True, True, True, ""),
        ("equals", True, 1, 1, "required is equals True"),
        ("equals", True, None, None, "required is"),
        ("atLeast", 30, 30, 30, ""),
        ("atLeast", 30, 29, 29, "required is atLeast 30"),
        ("atLeast", 30, 35, 30, "drift"),
        ("atLeast", 30, None, 30, "required is"),
        ("atMost", 90, 30, 30, ""),
        ("atMost", 90, 91, 91, "required is"),
        ("atMost", 90, 0, 0, "required is"),
        ("oneOf", ["17"], "17", "17", ""),
        ("oneOf", ["17"], "13", "13", "required is"),
        ("within", ["10.0.0.0/16"], ["10.0.3.0/24", "sg-1"], ["sg-1", "10.0.3.0/24"], ""),
        ("within", ["10.0.0.0/16"], [INSIDE], [INSIDE], ""),
        ("within", ["10.0.0.0/16"], [], [], ""),
        ("within", ["10.0.0.0/16", "pl-1"], ["pl-1"], ["pl-1"], ""),
        ("within", ["10.0.0.0/16"], ["pl-1"], ["pl-1"], "required is within"),
        ("within", ["10.0.0.0/16"], ["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/1"], "required"),
        ("within", ["10.0.0.0/16"], ["10.0.0.0/8"], ["10.0.0.0/8"], "required is within"),
        ("within", ["10.0.0.0/16"], ["fd00::/8"], ["fd00::/8"], "required is within"),
        ("within", ["10.0.0.0/16"], [""], [""], "required is within"),
        ("within", ["10.0.0.0/16"], None, [], "required is within"),
        ("within", None, ["10.0.3.0/24"], ["10.0.3.0/24"], "required is"),
        ("present", None, "arn:key", "arn:key", ""),
        ("present", None, "arn:other", "arn:key", "drift"),
        ("present", None, "", "", "required is present"),
        ("present", None, ["b", "a"], ["a", "b"], ""),
        ("resembles", None, "x", "x", "unknown comparison"),
    ],
)
def test_a_claim_holds_when_aws_says_it_and_it_is_enough(
    comparison: str, operand: Any, observed: Any, claimed: Any, complaint: str
) -> None:
    said = objection(claim("rds.instance.multiAz", "db", claimed, comparison, operand), observed)
    assert complaint in said if complaint else not said


def test_what_aws_does_not_show_or_we_cannot_prove_does_not_hold(aws: Clients) -> None:
    gone, unknown = prove(
        [claim("rds.instance.multiAz", "nobody", True), claim("rds.instance.beauty", "db", True)],
        aws,
        NO_CLUSTERS,
    )
    assert not gone.passed
    assert "AWS does not show it" in gone.reason
    assert not unknown.passed
    assert "no proof of it" in unknown.reason


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (None, "is not of type 'object'"),
        ({}, "'components' is a required property"),
        (
            {
                "schemaVersion": "9.0.0",
                "project": "p",
                "stack": "s",
                "region": "r",
                "components": [],
                "controls": [],
            },
            r"schemaVersion.*'1\.0\.0' was expected",
        ),
        ({"project": "p", "stack": "s", "region": "r", "components": [], "controls": []}, "claims nothing"),
    ],
)
def test_an_output_that_breaks_the_contract_is_refused(document: Any, complaint: str) -> None:
    with pytest.raises(OperationError, match=complaint):
        read_claims(document, ROOT)


def test_without_the_schema_nothing_is_believed(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="does not exist"):
        read_claims({}, tmp_path)


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ("<html>", "is not a JSON Schema"),
        ("[]", "is not a JSON Schema"),
        ('{"type": "colour"}', "is not a JSON Schema"),
        ('{"$ref": "#/$defs/Missing"}', "is not a JSON Schema"),
        ("{}", "admits anything"),
        ('{"type": "object"}', "still is not what it must be"),
    ],
)
def test_a_schema_that_is_damaged_is_named_and_nothing_is_believed(
    tmp_path: Path, schema: str, complaint: str
) -> None:
    path = tmp_path / "infra" / "audit" / "schema.json"
    path.parent.mkdir(parents=True)
    path.write_text(schema)
    with pytest.raises(OperationError, match=f"{complaint}.*restore it"):
        read_claims({"project": "p"}, tmp_path)
