"""What happens on a bad day: throttling, internal errors, refusals, half-made resources, cancellation."""

import threading
import time

import grpc
import pytest
from cloudcommerce_sandbox.plugins.aws.errors import EmulatorGapError, is_emulator_gap
from cloudcommerce_sandbox.plugins.wire import decode
from google.protobuf import empty_pb2

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.plugins.plugin import Plugin, half_made

VPC, SUBNET, KEY, NAT = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:kms/key:Key",
    "aws:ec2/natGateway:NatGateway",
)


@pytest.mark.parametrize("kind", ["throttle", "internal", "drop-connection"])
def test_what_passes_is_retried(plugin: Plugin, emulator: RunningEmulator, kind: str) -> None:
    emulator.api("POST", "faults", {"kind": kind, "operation": "CreateKey", "times": 3})
    id_, _ = plugin.create(KEY, plugin.checked(KEY, {}))
    assert emulator.client("kms").describe_key(KeyId=id_)


def test_what_never_passes_ends(
    plugin: Plugin, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.plugins.aws.clients._LONGEST_DELAY", 0.05)
    emulator.api("POST", "faults", {"kind": "throttle", "operation": "CreateKey"})
    with pytest.raises(grpc.RpcError, match="kms:CreateKey: ThrottlingException: Rate exceeded"):
        plugin.create(KEY, plugin.checked(KEY, {}))


def test_a_refusal_names_resource_operation_and_reason_at_once(
    plugin: Plugin, emulator: RunningEmulator
) -> None:
    emulator.api("POST", "faults", {"kind": "access-denied", "operation": "CreateVpc"})
    started = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(VPC, plugin.checked(VPC, {"cidrBlock": "10.0.0.0/16"}))
    assert time.monotonic() - started < 2
    text = caught.value.details()
    assert "aws:ec2/vpc:Vpc 'thing': ec2:CreateVpc: UnauthorizedOperation: User is not authorized" in text


def test_a_half_made_resource_is_kept_and_finished(plugin: Plugin, emulator: RunningEmulator) -> None:
    inputs = plugin.checked(
        VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "h"}}
    )
    emulator.api("POST", "faults", {"kind": "access-denied", "operation": "ModifyVpcAttribute"})
    with pytest.raises(grpc.RpcError, match="exists but is not complete") as caught:
        plugin.create(VPC, inputs)
    kept = half_made(caught.value)
    assert kept.id.startswith("vpc-")
    assert "UnauthorizedOperation" in kept.reasons[0]

    emulator.api("DELETE", "faults")
    state = decode(kept.properties)
    assert plugin.diff(VPC, inputs, inputs, state) == {}, "the engine updates it because of the error alone"
    finished = plugin.update(VPC, kept.id, inputs, inputs, state)
    attribute = emulator.client("ec2").describe_vpc_attribute(VpcId=kept.id, Attribute="enableDnsHostnames")
    assert attribute["EnableDnsHostnames"] == {"Value": True}
    assert finished["mainRouteTableId"].startswith("rtb-")
    assert not [name for name in finished if name.startswith("__")]


def test_a_half_made_resource_can_be_deleted(plugin: Plugin, emulator: RunningEmulator) -> None:
    inputs = plugin.checked(VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True})
    emulator.api("POST", "faults", {"kind": "access-denied", "operation": "ModifyVpcAttribute", "times": 1})
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(VPC, inputs)
    kept = half_made(caught.value)
    plugin.delete(VPC, kept.id, inputs, decode(kept.properties))
    assert plugin.read(VPC, kept.id, inputs, decode(kept.properties))[0] == ""


def test_what_depends_on_it_delays_a_delete(plugin: Plugin, emulator: RunningEmulator) -> None:
    inputs = plugin.checked(VPC, {"cidrBlock": "10.3.0.0/16"})
    id_, state = plugin.create(VPC, inputs)
    client = emulator.client("ec2")
    subnet = client.create_subnet(VpcId=id_, CidrBlock="10.3.0.0/24")["Subnet"]["SubnetId"]
    timer = threading.Timer(0.6, lambda: client.delete_subnet(SubnetId=subnet))
    timer.start()
    plugin.delete(VPC, id_, inputs, state)
    timer.join()
    assert plugin.read(VPC, id_, inputs, state)[0] == ""


def test_a_delete_that_is_blocked_for_good_ends_at_the_users_timeout(
    plugin: Plugin, emulator: RunningEmulator
) -> None:
    inputs = plugin.checked(VPC, {"cidrBlock": "10.4.0.0/16"})
    id_, state = plugin.create(VPC, inputs)
    emulator.client("ec2").create_subnet(VpcId=id_, CidrBlock="10.4.0.0/24")
    started = time.monotonic()
    with pytest.raises(grpc.RpcError, match="DependencyViolation"):
        plugin.delete(VPC, id_, inputs, state, timeout=1.0)
    assert 0.9 < time.monotonic() - started < 8


def test_cancel_ends_a_wait(plugin: Plugin, emulator: RunningEmulator) -> None:
    emulator.api("POST", "faults", {"kind": "throttle", "operation": "CreateKey"})
    inputs = plugin.checked(KEY, {})
    timer = threading.Timer(0.3, lambda: plugin.stub.Cancel(empty_pb2.Empty()))
    timer.start()
    started = time.monotonic()
    with pytest.raises(grpc.RpcError, match="cancelled"):
        plugin.create(KEY, inputs)
    assert time.monotonic() - started < 15, "all attempts take longer"
    timer.join()


def test_an_operation_the_emulator_lacks_is_told_once_and_clearly() -> None:
    page = {
        "Error": {"Code": "500", "Message": "<!doctype html><title>500 Internal Server Error</title>"},
        "ResponseMetadata": {
            "HTTPStatusCode": 500,
            "HTTPHeaders": {"content-type": "text/html; charset=utf-8"},
        },
    }
    assert "HTML page" in is_emulator_gap(page)
    refusal = {
        "Error": {"Code": "InternalFailure", "Message": "An internal error has occurred."},
        "ResponseMetadata": {"HTTPStatusCode": 500, "HTTPHeaders": {"content-type": "application/json"}},
    }
    assert not is_emulator_gap(refusal)
    gap = EmulatorGapError("eks:CreateAddon", "HTTP 500")
    assert not gap.is_transient
    assert not gap.is_gone
    assert "does not implement eks:CreateAddon" in str(gap)
