"""Check: what can be known to fail is refused in preview, with the property's path."""

import grpc
import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, decode, encode
from pulumi.runtime.proto import provider_pb2

from sandbox.tests.plugins.plugin import Plugin

VPC, SUBNET, ROLE, KEY, ALIAS = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:iam/role:Role",
    "aws:kms/key:Key",
    "aws:kms/alias:Alias",
)
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
TRUST = '{"Version":"2012-10-17","Statement":[]}'


def test_unknown_property_gets_a_suggestion(plugin: Plugin) -> None:
    assert "did you mean cidrBlock?" in plugin.refused(VPC, {"cidrBlok": "10.0.0.0/16"})["cidrBlok"]


def test_missing_required_property(plugin: Plugin) -> None:
    assert "required" in plugin.refused(SUBNET, {"cidrBlock": "10.0.0.0/24"})["vpcId"]


def test_wrong_type_names_both_types_but_never_the_value(plugin: Plugin) -> None:
    reason = plugin.refused(VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": "hush"})["enableDnsSupport"]
    assert "must be a boolean, got a string" in reason
    assert "hush" not in reason


def test_path_of_a_failure_inside_a_block(plugin: Plugin) -> None:
    block = {"protocol": "tcp", "fromPort": "x", "toPort": 80, "cidrBlock": []}
    refused = plugin.refused(SECURITY_GROUP, {"ingress": [block]})
    assert set(refused) == {"ingress[0].fromPort", "ingress[0].cidrBlock"}
    assert "did you mean cidrBlocks?" in refused["ingress[0].cidrBlock"]


def test_enum_and_range_of_the_api(plugin: Plugin) -> None:
    assert "is not one of" in plugin.refused(VPC, {"instanceTenancy": "shared"})["instanceTenancy"]
    refused = plugin.refused(ROLE, {"assumeRolePolicy": TRUST, "maxSessionDuration": 60})
    assert "minimum of 3600" in refused["maxSessionDuration"]


def test_secret_that_breaks_a_constraint_is_not_shown(plugin: Plugin) -> None:
    refused = plugin.refused(VPC, {"instanceTenancy": Secret("hush")})
    assert "hush" not in str(refused)
    assert "instanceTenancy" in str(refused)


def test_property_that_the_sandbox_lacks_is_refused_not_dropped(plugin: Plugin) -> None:
    refused = plugin.refused(KEY, {"customKeyStoreId": "cks-1"})
    assert "the sandbox does not implement it: custom key stores" in refused["customKeyStoreId"]


def test_rules_between_properties(plugin: Plugin) -> None:
    refused = plugin.refused(
        SUBNET, {"vpcId": "vpc-1", "availabilityZone": "us-east-1a", "availabilityZoneId": "use1-az1"}
    )
    assert "conflicts with availabilityZone" in refused["availabilityZoneId"]


def test_unknown_values_pass(plugin: Plugin) -> None:
    inputs = plugin.checked(SUBNET, {"vpcId": UNKNOWN, "cidrBlock": UNKNOWN, "tags": {"Name": UNKNOWN}})
    assert inputs["vpcId"] is UNKNOWN
    assert inputs["tagsAll"] == {"owner": "shop", "Name": UNKNOWN}


def test_auto_name_is_stable_and_marked(plugin: Plugin) -> None:
    first = plugin.checked(ROLE, {"assumeRolePolicy": TRUST})
    assert first["name"].startswith("thing-")
    assert len(first["name"]) == len("thing-") + 7
    assert first["__defaults"] == ["name"]
    assert plugin.checked(ROLE, {"assumeRolePolicy": TRUST})["name"] == first["name"], "same seed"
    again = plugin.check(ROLE, {"assumeRolePolicy": TRUST}, first, name="other")
    assert decode(again.inputs)["name"] == first["name"], "a resource keeps its name"


def test_auto_name_of_an_alias_keeps_what_the_api_wants(plugin: Plugin) -> None:
    assert plugin.checked(ALIAS, {"targetKeyId": "k"})["name"].startswith("alias/thing-")


def test_auto_name_with_a_prefix(plugin: Plugin) -> None:
    assert plugin.checked(ROLE, {"assumeRolePolicy": TRUST, "namePrefix": "web-"})["name"].startswith("web-")


@pytest.mark.parametrize(("mode", "expected"), [("ENFORCE", "exact"), ("DISABLE", None)])
def test_auto_naming_obeys_the_engine(plugin: Plugin, mode: str, expected: str | None) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions(
        proposed_name="exact", mode=provider_pb2.CheckRequest.AutonamingOptions.Mode.Value(mode)
    )
    answer = plugin.check(ROLE, {"assumeRolePolicy": TRUST}, autonaming=options)
    assert decode(answer.inputs).get("name") == expected


def test_undeclared_type_is_an_error_that_names_it(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError, match="does not implement aws:ec2/spotFleetRequest"):
        plugin.check("aws:ec2/spotFleetRequest:SpotFleetRequest", {})


def test_configuration_that_would_be_ignored_is_refused(plugin: Plugin) -> None:
    request = provider_pb2.CheckRequest(news=encode({"region": "us-east-1", "assumeRoles": "[{}]"}))
    assert [failure.property for failure in plugin.stub.CheckConfig(request).failures] == ["assumeRoles"]
