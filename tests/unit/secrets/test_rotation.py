"""The rotation's Lambda function: what it may do, who may call it, when it runs, what is deployed."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from components.secrets import rotation_function
from components.secrets.rotation import Rotation, RotationArgs, RotationTarget, function_code
from components.secrets.rotation_policy import rotation_policy
from tests.unit.data import properties
from tests.unit.data.properties import ACCOUNT, VPC, key
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M36

TARGETS = {
    "postgres-master": RotationTarget(
        engine="postgres", secret_arn="arn:secret:postgres", resource_arn="arn:rds:db"
    ),
    "rabbitmq-admin": RotationTarget(
        engine="rabbitmq",
        secret_arn="arn:secret:rabbitmq",
        resource_arn="arn:mq:broker",
        security_group_id="sg-broker",
    ),
}
ARGS = RotationArgs(
    targets=TARGETS,
    account_id=ACCOUNT,
    vpc_id=VPC,
    subnet_ids=["private-a", "private-b"],
    secrets_key_arn=key("secrets"),
    logs_key_arn=key("operations"),
)


@pytest.fixture(scope="module")
def stood_up() -> Deployment:
    return deploy(lambda: Rotation("rotation", ARGS).function_arn)


def test_house_rules_hold(stood_up: Deployment) -> None:
    properties.assert_tagged_with_its_name(stood_up)
    properties.assert_inside(stood_up, "cloudcommerce:secrets:Rotation")


def test_every_secret_is_rotated_monthly_and_none_at_once(stood_up: Deployment) -> None:
    rotations = stood_up.all("SecretRotation")
    permission = stood_up.one("Permission")
    ways = [stood_up.one("SecurityGroupEgressRule"), stood_up.one("SecurityGroupIngressRule")]

    assert {r.inputs["secretId"] for r in rotations} == {t.secret_arn for t in TARGETS.values()}
    for rotation in rotations:
        assert rotation.inputs["rotateImmediately"] is False
        assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
        assert permission.urn in rotation.depends_on
        assert {way.urn for way in ways} <= set(rotation.depends_on), "the test step runs at once"


def test_only_secrets_manager_of_this_account_may_call(stood_up: Deployment) -> None:
    permission = stood_up.one("Permission").inputs

    assert permission["principal"] == "secretsmanager.amazonaws.com"
    assert permission["sourceAccount"] == ACCOUNT


def test_the_function_is_encrypted_bounded_and_logged(stood_up: Deployment) -> None:
    function = stood_up.one("Function").inputs
    log = stood_up.one("LogGroup").inputs

    assert function["kmsKeyArn"] == key("secrets")
    assert function["runtime"] == "python3.13"
    assert "reservedConcurrentExecutions" not in function, "accounts with a small quota cannot reserve any"
    assert function["timeout"] > 300, "the test step waits up to five minutes"
    assert function["loggingConfig"]["logFormat"] == "JSON"
    assert log["kmsKeyId"] == key("operations")
    assert log["retentionInDays"] == 365


def test_nobody_reaches_the_function_and_it_reaches_the_broker(stood_up: Deployment) -> None:
    into = stood_up.one("SecurityGroupIngressRule").inputs
    out = stood_up.one("SecurityGroupEgressRule").inputs

    assert into["securityGroupId"] == "sg-broker"
    assert into["referencedSecurityGroupId"] == "rotation-security-group-id"
    assert (into["fromPort"], into["toPort"]) == (out["fromPort"], out["toPort"]) == (443, 443)


def test_the_role_names_its_secrets_and_stores(stood_up: Deployment) -> None:
    allowed = properties.statements(stood_up.one("RolePolicy").inputs["policy"])

    assert allowed["Secrets"]["Resource"] == ["arn:secret:postgres", "arn:secret:rabbitmq"]
    assert allowed["Postgres"]["Resource"] == ["arn:rds:db"]
    assert {"Docdb", "Valkey", "Rabbitmq"}.isdisjoint(allowed)
    assert stood_up.one("RolePolicy").urn in stood_up.one("Function").depends_on


def test_only_network_interfaces_are_allowed_everywhere() -> None:
    document = rotation_policy(
        resources=[("docdb", "arn:cluster"), ("valkey", "arn:user:b"), ("valkey", "arn:user:a")],
        secret_arns=["arn:secret"],
        secrets_key_arn=key("secrets"),
        log_group_arn="arn:log",
    )
    allowed = properties.statements(document)

    assert [sid for sid, s in allowed.items() if s["Resource"] == ["*"]] == ["NetworkInterface"]
    assert not [a for s in allowed.values() for a in s["Action"] if "*" in a]
    assert allowed["Valkey"]["Resource"] == ["arn:user:a", "arn:user:b"]
    assert allowed["Docdb"]["Action"] == ["rds:DescribeDBClusters", "rds:ModifyDBCluster"]
    assert allowed["Log"]["Resource"] == ["arn:log:*"]


def test_a_rotation_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no secrets to rotate"):
        deploy(lambda: Rotation("rotation", replace(ARGS, targets={})).function_arn)


def test_the_archive_holds_the_tested_modules_and_nothing_of_the_machine() -> None:
    folder = Path(rotation_function.__file__).parent
    archive = function_code().assets

    assert set(archive) == {f"rotation_function/{m.name}" for m in folder.glob("*.py")}
    assert {getattr(asset, "text", None) for asset in archive.values()} == {
        m.read_text("utf-8") for m in folder.glob("*.py")
    }


def test_the_function_imports_only_what_the_runtime_has() -> None:
    imported = set()
    for module in Path(rotation_function.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                imported.add(node.module.split(".")[0])

    # The stubs are imported for type checking only.
    stubs = {name for name in imported if name.startswith("mypy_boto3_")}
    third_party = imported - stubs - set(__import__("sys").stdlib_module_names)
    assert third_party == {"boto3"}
