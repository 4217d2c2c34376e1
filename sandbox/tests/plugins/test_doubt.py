"""When nobody knows whether AWS did what was asked: answers that got lost, updates that failed half way."""

import json

import grpc
import pytest
from cloudcommerce_sandbox.plugins import orphan

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import unique
from sandbox.tests.plugins.plugin import Plugin

ROLE, GROUP, SECRET, VPC = (
    "aws:iam/role:Role",
    "aws:rds/parameterGroup:ParameterGroup",
    "aws:secretsmanager/secret:Secret",
    "aws:ec2/vpc:Vpc",
)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def lose_one_answer(emulator: RunningEmulator, operation: str) -> None:
    emulator.api("POST", "faults", {"kind": "lost-response", "operation": operation, "times": 1})


def test_a_role_made_unheard_is_ours_by_its_tags(plugin: Plugin, emulator: RunningEmulator) -> None:
    name = unique("role")
    wanted = {"name": name, "assumeRolePolicy": TRUST, "tags": {"Name": name}}
    lose_one_answer(emulator, "CreateRole")
    id_, state = plugin.create(ROLE, plugin.checked(ROLE, wanted))
    assert (id_, state["arn"]) == (name, f"arn:aws:iam::123456789012:role/{name}")
    assert state["tagsAll"] == {"owner": "shop", "Name": name}


def test_a_group_made_unheard_is_ours_by_its_random_name(plugin: Plugin, emulator: RunningEmulator) -> None:
    wanted = {"family": "postgres17", "parameters": [{"name": "work_mem", "value": "8192"}]}
    lose_one_answer(emulator, "CreateDBParameterGroup")
    id_, state = plugin.create(GROUP, plugin.checked(GROUP, wanted))
    assert id_ == state["name"]
    rds = emulator.client("rds")
    [set_] = rds.describe_db_parameters(DBParameterGroupName=id_, Source="user")["Parameters"]
    assert (set_["ParameterName"], set_["ParameterValue"]) == ("work_mem", "8192")


def test_a_token_makes_one_secret_of_two_attempts(plugin: Plugin, emulator: RunningEmulator) -> None:
    name = unique("secret")
    lose_one_answer(emulator, "CreateSecret")
    id_, state = plugin.create(SECRET, plugin.checked(SECRET, {"name": name, "tags": {"Name": name}}))
    found = emulator.client("secretsmanager").describe_secret(SecretId=name)
    assert found["ARN"] == id_ == state["arn"]


def test_a_plugin_without_an_engine_begins_nothing(
    plugin: Plugin, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("role")
    inputs = plugin.checked(ROLE, {"name": name, "assumeRolePolicy": TRUST})
    monkeypatch.setattr(orphan, "_PARENT", -1)
    with pytest.raises(grpc.RpcError, match="the engine is gone"):
        plugin.create(ROLE, inputs)
    roles = emulator.client("iam").list_roles()["Roles"]
    assert name not in {role["RoleName"] for role in roles}


def test_the_thing_of_somebody_else_is_not_taken_over(plugin: Plugin, emulator: RunningEmulator) -> None:
    name = unique("role")
    iam = emulator.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "owner", "Value": "other"}])
    inputs = plugin.checked(ROLE, {"name": name, "assumeRolePolicy": TRUST})
    with pytest.raises(grpc.RpcError, match="iam:CreateRole: EntityAlreadyExists") as caught:
        plugin.create(ROLE, inputs)
    assert "import or delete" not in caught.value.details(), "no attempt of ours is in doubt"
    emulator.api("POST", "faults", {"kind": "drop-connection", "operation": "CreateRole", "times": 1})
    with pytest.raises(grpc.RpcError, match="import or delete it"):
        plugin.create(ROLE, inputs)
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "owner", "Value": "other"}]


def test_an_update_that_failed_half_way_is_repeated(plugin: Plugin, emulator: RunningEmulator) -> None:
    first = plugin.checked(VPC, {"cidrBlock": "10.5.0.0/16"})
    id_, state = plugin.create(VPC, first)
    second = plugin.checked(
        VPC, {"cidrBlock": "10.5.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "v"}}, first
    )
    emulator.api("POST", "faults", {"kind": "access-denied", "operation": "CreateTags", "times": 1})
    with pytest.raises(grpc.RpcError, match="ec2:CreateTags: UnauthorizedOperation") as caught:
        plugin.update(VPC, id_, first, second, state)
    details = {item.key for item in caught.value.trailing_metadata() or ()}
    assert "grpc-status-details-bin" not in details, "the engine keeps the state from before"

    changed = plugin.diff(VPC, first, second, state)
    assert {path.partition(".")[0] for path in changed} >= {"enableDnsHostnames", "tags"}
    state = plugin.update(VPC, id_, first, second, state)
    assert state["tagsAll"] == {"owner": "shop", "Name": "v"}
    attribute = emulator.client("ec2").describe_vpc_attribute(VpcId=id_, Attribute="enableDnsHostnames")
    assert attribute["EnableDnsHostnames"] == {"Value": True}
