"""What no program of the SDKs sends: it gets an answer for a person, never a defect of the plugin."""

import json
from typing import Any

import grpc
import pytest
from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider
from cloudcommerce_sandbox.plugins.random.provider import RandomProvider
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, encode, reveal
from pulumi.runtime.proto import provider_pb2

from sandbox.tests.plugins.plugin import Plugin, serving

VPC, INSTANCE = "aws:ec2/vpc:Vpc", "aws:rds/instance:Instance"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


def told(error: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    assert error.value.code() is grpc.StatusCode.UNKNOWN
    details = str(error.value.details())
    assert "defect in the plugin" not in details
    return details


@pytest.mark.parametrize("tags", [["a"], "a", 5, {"a": ["b"]}], ids=str)
@pytest.mark.parametrize("is_secret", [False, True])
def test_tags_of_another_type(plugin: Plugin, tags: Any, is_secret: bool) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "tags": Secret(tags) if is_secret else tags}
    failures = plugin.check(VPC, inputs).failures
    assert [(f.property or f.reason).partition(":")[0].partition(".")[0] for f in failures] == ["tags"]


def test_secret_tags_that_are_not_yet_known(plugin: Plugin) -> None:
    inputs = plugin.checked(VPC, {"cidrBlock": "10.0.0.0/16", "tags": Secret(UNKNOWN)})
    assert reveal(inputs["tagsAll"]) is UNKNOWN


REGIONS = ["../../x", "us-east-1/", "evil.example:80#", "us east", "a" * 200]


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_that_is_none(plugin: Plugin, region: str) -> None:
    refused = plugin.refused(VPC, {"cidrBlock": "10.0.0.0/16", "region": region})
    assert "form of us-east-1" in refused["region"]
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(VPC, {"cidrBlock": "10.0.0.0/16", "region": region})
    assert "region" in told(error)


@pytest.mark.parametrize("region", [*REGIONS, {"a": "b"}, ["us-east-1"], 5], ids=str)
@pytest.mark.parametrize("function", ["getRegion:getRegion", "getAvailabilityZones:getAvailabilityZones"])
def test_a_function_asked_for_a_region_that_is_none(plugin: Plugin, function: str, region: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke(f"aws:index/{function}", region=region)
    assert told(error).startswith("region: ")


@pytest.mark.parametrize("token", ["", "getRegion", "aws:getRegion", "::", "aws:index/absent:absent"])
def test_a_function_that_is_none(plugin: Plugin, token: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke(token)
    assert "does not implement the function" in told(error)


@pytest.mark.parametrize("filters", [[{}], ["a"], 5, [{"name": "state", "values": 5}]], ids=str)
def test_filters_of_another_form(plugin: Plugin, filters: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", filters=filters)
    assert told(error).startswith("filters: ")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("defaultTags", "[1"),
        ("defaultTags", "[1]"),
        ("defaultTags", '{"tags": ["a"]}'),
        ("defaultTags", '{"tags": {"a": {}}}'),
        ("defaultTags", Secret("[1")),
        ("defaultTags", "[" * 100_000),
        ("ignoreTags", '{"keys": 5}'),
        ("endpoints", "here"),
        ("endpoints", '["here"]'),
        ("allowedAccountIds", "{}"),
        ("region", "../../x"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_setting_of_another_type(config: dict[str, Any], setting: str, value: Any) -> None:
    wrong = {**config, setting: value}
    with serving(AwsProvider()) as plugin:
        answer = plugin.stub.CheckConfig(provider_pb2.CheckRequest(news=encode(wrong)))
        assert [(f.property or f.reason).startswith(setting) for f in answer.failures] == [True]
        with pytest.raises(grpc.RpcError) as error:
            plugin.configure(**wrong)
        assert told(error).startswith(setting)


@pytest.mark.parametrize("endpoint", ["not an address", "http://[", "://"])
def test_an_endpoint_that_is_none(config: dict[str, Any], endpoint: str) -> None:
    with serving(AwsProvider()) as plugin:
        plugin.configure(**{**config, "endpoints": json.dumps([{"ec2": endpoint}])})
        with pytest.raises(grpc.RpcError) as error:
            plugin.create(VPC, {"cidrBlock": "10.0.0.0/16"})
        assert "no client of ec2" in told(error)


URNS = ["", "x", "urn:pulumi:prod::shop", "urn:pulumi:prod::shop::Vpc::a", f"urn:pulumi:prod::shop::{VPC}"]


@pytest.mark.parametrize("urn", URNS)
@pytest.mark.parametrize("provider", [AwsProvider, RandomProvider])
def test_a_urn_that_is_none(config: dict[str, Any], urn: str, provider: Any) -> None:
    with serving(provider()) as plugin:
        plugin.configure(**config)
        for call, request in (
            (plugin.stub.Check, provider_pb2.CheckRequest(urn=urn)),
            (plugin.stub.Diff, provider_pb2.DiffRequest(urn=urn, id="a")),
            (plugin.stub.Create, provider_pb2.CreateRequest(urn=urn)),
            (plugin.stub.Read, provider_pb2.ReadRequest(urn=urn, id="a")),
            (plugin.stub.Update, provider_pb2.UpdateRequest(urn=urn, id="a")),
            (plugin.stub.Delete, provider_pb2.DeleteRequest(urn=urn, id="a")),
        ):
            with pytest.raises(grpc.RpcError) as error:
                call(request)
            assert "is no URN" in told(error)


def test_a_delete_that_knows_nothing_but_the_id(plugin: Plugin) -> None:
    plugin.delete(INSTANCE, "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ", {}, {})
    plugin.delete(VERSION, "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone|1", {}, {})
