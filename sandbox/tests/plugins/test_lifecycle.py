"""Create, update, read and delete against the emulator."""

import json

import grpc
import pytest
from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.plugins.plugin import Plugin, serving

VPC, SUBNET, ROLE, KEY = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:iam/role:Role", "aws:kms/key:Key"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        ],
    }
)


def _tags(emulator: RunningEmulator, id_: str) -> dict[str, str]:
    found = emulator.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [id_]}])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_preview_knows_inputs_and_defaults_and_nothing_else(plugin: Plugin) -> None:
    inputs = plugin.checked(VPC, {"cidrBlock": "10.0.0.0/16"})
    id_, outputs = plugin.create(VPC, inputs, preview=True)
    assert id_ == ""
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["enableDnsSupport"] is True
    assert outputs["arn"] is UNKNOWN
    assert outputs["tagsAll"] == {"owner": "shop"}


def test_a_resource_lives(plugin: Plugin, emulator: RunningEmulator) -> None:
    first = plugin.checked(
        VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": False, "tags": {"Name": "a"}}
    )
    id_, state = plugin.create(VPC, first)
    assert state["arn"].endswith(f":vpc/{id_}")
    assert state["defaultSecurityGroupId"].startswith("sg-")
    assert state["region"] == "us-east-1"
    assert _tags(emulator, id_) == {"owner": "shop", "Name": "a"}

    second = plugin.checked(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"Stage": "b"}}, first)
    state = plugin.update(VPC, id_, first, second, state)
    assert _tags(emulator, id_) == {"owner": "shop", "Stage": "b"}
    attribute = emulator.client("ec2").describe_vpc_attribute(VpcId=id_, Attribute="enableDnsSupport")
    assert attribute["EnableDnsSupport"] == {"Value": True}, "a removed property goes back to its default"

    plugin.delete(VPC, id_, second, state)
    assert plugin.read(VPC, id_, second, state) == ("", {}, {})
    plugin.delete(VPC, id_, second, state)  # gone already is fine


def test_update_in_preview_changes_nothing(plugin: Plugin, emulator: RunningEmulator) -> None:
    first = plugin.checked(KEY, {"description": "before"})
    id_, state = plugin.create(KEY, first)
    second = plugin.checked(KEY, {"description": "after"}, first)
    foretold = plugin.update(KEY, id_, first, second, state, preview=True)
    assert (foretold["description"], foretold["keyId"]) == ("after", id_)
    assert emulator.client("kms").describe_key(KeyId=id_)["KeyMetadata"]["Description"] == "before"


def test_refresh_shows_drift_and_nothing_else(plugin: Plugin, emulator: RunningEmulator) -> None:
    inputs = plugin.checked(
        VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": False, "tags": {"Name": "a"}}
    )
    id_, state = plugin.create(VPC, inputs)
    assert plugin.read(VPC, id_, inputs, state) == (id_, inputs, state), "no drift, no change"

    client = emulator.client("ec2")
    client.modify_vpc_attribute(VpcId=id_, EnableDnsHostnames={"Value": True})
    client.create_tags(Resources=[id_], Tags=[{"Key": "byHand", "Value": "yes"}])
    _, drifted, drifted_state = plugin.read(VPC, id_, inputs, state)
    assert drifted["enableDnsHostnames"] is True
    assert plugin.diff(VPC, drifted, inputs, drifted_state) == {
        "enableDnsHostnames": "UPDATE",
        "tags.byHand": "DELETE",
        "tagsAll.byHand": "DELETE",
    }
    plugin.update(VPC, id_, drifted, inputs, drifted_state)
    assert "byHand" not in _tags(emulator, id_)


def test_import_then_preview_shows_no_difference(plugin: Plugin) -> None:
    program = {"assumeRolePolicy": TRUST, "name": "imported", "description": "mine", "tags": {"a": "b"}}
    inputs = plugin.checked(ROLE, program)
    id_, _ = plugin.create(ROLE, inputs)
    found, imported, state = plugin.read(ROLE, id_)
    assert found == "imported"
    assert state["arn"].endswith(":role/imported")
    assert plugin.diff(ROLE, imported, plugin.checked(ROLE, program, imported), state) == {}
    without = {name: value for name, value in program.items() if name != "name"}
    assert plugin.checked(ROLE, without, imported)["name"] == "imported", (
        "an auto-named program keeps the name"
    )


def test_import_of_a_composite_id_says_what_it_looks_like(plugin: Plugin, emulator: RunningEmulator) -> None:
    client = emulator.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    gateway = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    client.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    id_, inputs, _ = plugin.read("aws:ec2/route:Route", f"{table}_0.0.0.0/0")
    assert id_
    assert (inputs["routeTableId"], inputs["gatewayId"]) == (table, gateway)


def test_region_of_one_resource(plugin: Plugin, emulator: RunningEmulator) -> None:
    inputs = plugin.checked(KEY, {"region": "us-west-2"})
    id_, state = plugin.create(KEY, inputs)
    assert state["region"] == "us-west-2"
    assert ":kms:us-west-2:" in state["arn"]
    west = emulator.client("kms", region="us-west-2")
    assert west.describe_key(KeyId=id_)["KeyMetadata"]["Enabled"]
    found, _, _ = plugin.read(KEY, id_, inputs, state)
    assert found == id_


def test_secrets_stay_secret_on_every_way(plugin: Plugin) -> None:
    inputs = plugin.checked(KEY, {"description": Secret("hush"), "tags": {"a": Secret("hush")}})
    assert inputs["description"] == Secret("hush")
    id_, state = plugin.create(KEY, inputs)
    assert state["description"] == Secret("hush")
    assert isinstance(state["tagsAll"], Secret)
    _, refreshed, refreshed_state = plugin.read(KEY, id_, inputs, state)
    assert refreshed["description"] == Secret("hush")
    assert isinstance(refreshed_state["description"], Secret)
    assert isinstance(refreshed["tags"], dict | Secret)
    assert "hush" not in repr(refreshed)


def test_configured_account_must_be_the_one(config: dict[str, str]) -> None:
    with serving(AwsProvider()) as plugin, pytest.raises(grpc.RpcError, match="does not allow"):
        plugin.configure(**config, allowedAccountIds=json.dumps(["999999999999"]))


def test_adopted_default_group_is_locked(plugin: Plugin, emulator: RunningEmulator) -> None:
    client = emulator.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    inputs = plugin.checked(token, {"vpcId": vpc})
    id_, state = plugin.create(token, inputs)
    group = client.describe_security_groups(GroupIds=[id_])["SecurityGroups"][0]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])
    plugin.delete(token, id_, inputs, state)
    assert client.describe_security_groups(GroupIds=[id_])["SecurityGroups"], "it is AWS's to delete"


def test_functions(plugin: Plugin) -> None:
    region = plugin.invoke("aws:index/getRegion:getRegion")
    assert (region["id"], region["name"], region["region"]) == ("us-east-1",) * 3
    assert plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "123456789012"
    assert plugin.invoke("aws:index/getPartition:getPartition")["partition"] == "aws"
    zones = plugin.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", state="available")
    assert zones["names"][:3] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    document = plugin.invoke(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        statements=[
            {
                "sid": "One",
                "actions": ["s3:GetObject"],
                "resources": ["*"],
                "principals": [{"type": "AWS", "identifiers": ["1", "2"]}],
                "conditions": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
            }
        ],
    )
    assert json.loads(document["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "One",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "*",
                "Principal": {"AWS": ["2", "1"]},
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ],
    }
