"""Diff: detailed kinds, replacement, and values that mean the same."""

import grpc
import pytest
from cloudcommerce_sandbox.plugins.aws import coverage
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, encode
from pulumi.runtime.proto import provider_pb2

from sandbox.tests.plugins.plugin import Plugin, urn

VPC, ROLE, KEY, GROUP, TEMPLATE = (
    "aws:ec2/vpc:Vpc",
    "aws:iam/role:Role",
    "aws:kms/key:Key",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/launchTemplate:LaunchTemplate",
)


def test_kinds_of_change(plugin: Plugin) -> None:
    old = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": False, "tags": {"a": "1", "b": "2"}}
    new = {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True, "tags": {"a": "3", "c": "4"}}
    assert plugin.diff(VPC, old, new) == {
        "cidrBlock": "UPDATE_REPLACE",
        "enableDnsHostnames": "ADD",
        "enableDnsSupport": "DELETE",
        "tags.a": "UPDATE",
        "tags.b": "DELETE",
        "tags.c": "ADD",
    }


def test_default_and_nothing_are_the_same(plugin: Plugin) -> None:
    assert plugin.diff(VPC, {}, {"enableDnsSupport": True, "tags": {}}) == {}
    assert plugin.diff(VPC, {"enableDnsSupport": True}, {}) == {}


def test_removed_property_that_aws_computes_shows_nothing(plugin: Plugin) -> None:
    assert plugin.diff("aws:ec2/subnet:Subnet", {"availabilityZone": "us-east-1a"}, {}) == {}


def test_policies_compare_by_meaning(plugin: Plugin) -> None:
    left = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:B"],"Resource":"*"}]}'
    right = '{"Statement": {"Action": "a:B", "Resource": ["*"], "Effect": "Allow"}, "Version": "2012-10-17"}'
    assert plugin.diff(KEY, {"policy": left}, {"policy": right}) == {}
    assert plugin.diff(KEY, {"policy": left}, {"policy": right.replace("a:B", "a:C")}) == {"policy": "UPDATE"}


def test_rules_of_a_group_compare_as_what_they_open(plugin: Plugin) -> None:
    both = {"protocol": "6", "fromPort": 1, "toPort": 2, "cidrBlocks": ["10.0.0.0/8", "11.0.0.0/8"]}
    one = {"protocol": "tcp", "fromPort": 1, "toPort": 2, "cidrBlocks": ["11.0.0.0/8"]}
    other = {**one, "cidrBlocks": ["10.0.0.0/8"], "self": False}
    assert plugin.diff(GROUP, {"ingress": [both]}, {"ingress": [one, other]}) == {}
    assert plugin.diff(GROUP, {"ingress": [both]}, {"ingress": [one]}) == {"ingress": "UPDATE"}


def test_nested_path(plugin: Plugin) -> None:
    old = {"blockDeviceMappings": [{"deviceName": "a", "ebs": {"volumeSize": 10}}]}
    new = {"blockDeviceMappings": [{"deviceName": "a", "ebs": {"volumeSize": 20}}]}
    assert plugin.diff(TEMPLATE, old, new) == {"blockDeviceMappings[0].ebs.volumeSize": "UPDATE"}


def test_order_of_scalars_does_not_matter(plugin: Plugin) -> None:
    assert plugin.diff(ROLE, {"managedPolicyArns": ["a", "b"]}, {"managedPolicyArns": ["b", "a"]}) == {}


def test_unknown_counts_as_changed(plugin: Plugin) -> None:
    assert plugin.diff(KEY, {"description": "x"}, {"description": UNKNOWN}) == {"description": "UPDATE"}


def test_ignored_properties(plugin: Plugin) -> None:
    assert plugin.diff(KEY, {"description": "x"}, {"description": "y"}, ignoreChanges=["description"]) == {}


def test_change_of_default_tags_is_an_update(plugin: Plugin) -> None:
    old = {"tagsAll": {"owner": "me"}}
    new = plugin.checked(KEY, {})
    assert plugin.diff(KEY, old, new) == {"tagsAll.owner": "UPDATE"}


def test_region_replaces_whether_the_resource_or_the_provider_moves(plugin: Plugin) -> None:
    assert plugin.diff(KEY, {}, {"region": "eu-west-1"}, {"region": "us-east-1"}) == {
        "region": "UPDATE_REPLACE"
    }
    assert plugin.diff(KEY, {}, {}, {"region": "eu-west-1"}) == {"region": "UPDATE_REPLACE"}
    assert plugin.diff(ROLE, {}, {}, {"region": "eu-west-1"}) == {}, "IAM has no region"


def test_explicit_name_is_deleted_before_it_is_replaced(plugin: Plugin) -> None:
    def deletes_first(extra: dict[str, object]) -> bool:
        request = provider_pb2.DiffRequest(
            urn=urn(ROLE),
            id="x",
            old_inputs=encode({"name": "x", "path": "/", **extra}),
            news=encode({"name": "x", "path": "/y/", **extra}),
            olds=encode({}),
        )
        answer = plugin.stub.Diff(request)
        assert list(answer.replaces) == ["path"]
        return bool(answer.deleteBeforeReplace)

    assert deletes_first({})
    assert not deletes_first({"__defaults": ["name"]})


def test_a_change_that_no_step_makes_is_refused_in_preview(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "unchangeable", lambda _kind: frozenset({"description"}))
    with pytest.raises(grpc.RpcError, match="does not implement a change of description"):
        plugin.diff(KEY, {"description": "x"}, {"description": "y"})
