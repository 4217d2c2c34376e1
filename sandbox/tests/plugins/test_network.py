"""Every EC2 network type through its life: made, unchanged on refresh and import, taken down in reverse."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.plugins.plugin import Plugin

Program = Callable[[dict[str, str]], dict[str, Any]]
ANYWHERE = "0.0.0.0/0"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)
HTTPS = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]}

# Name: (type, inputs that may use the ids of what came before), in the order of dependency.
NETWORK: dict[str, tuple[str, Program]] = {
    "vpc": ("ec2/vpc:Vpc", lambda _: {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}),
    "gateway": ("ec2/internetGateway:InternetGateway", lambda ids: {"vpcId": ids["vpc"]}),
    "table": ("ec2/routeTable:RouteTable", lambda ids: {"vpcId": ids["vpc"]}),
    "inline": (
        "ec2/routeTable:RouteTable",
        lambda ids: {
            "vpcId": ids["vpc"],
            "routes": [{"cidrBlock": ANYWHERE, "gatewayId": ids["gateway"]}],
        },
    ),
    "out": (
        "ec2/route:Route",
        lambda ids: {
            "routeTableId": ids["table"],
            "destinationCidrBlock": ANYWHERE,
            "gatewayId": ids["gateway"],
        },
    ),
    "subnet": (
        "ec2/subnet:Subnet",
        lambda ids: {"vpcId": ids["vpc"], "cidrBlock": "10.0.1.0/24", "mapPublicIpOnLaunch": True},
    ),
    "association": (
        "ec2/routeTableAssociation:RouteTableAssociation",
        lambda ids: {"routeTableId": ids["table"], "subnetId": ids["subnet"]},
    ),
    "main": (
        "ec2/mainRouteTableAssociation:MainRouteTableAssociation",
        lambda ids: {"routeTableId": ids["inline"], "vpcId": ids["vpc"]},
    ),
    "address": ("ec2/eip:Eip", lambda _: {"domain": "vpc"}),
    "nat": (
        "ec2/natGateway:NatGateway",
        lambda ids: {"allocationId": ids["address"], "subnetId": ids["subnet"]},
    ),
    "group": ("ec2/securityGroup:SecurityGroup", lambda ids: {"vpcId": ids["vpc"], "ingress": [HTTPS]}),
    "other": ("ec2/securityGroup:SecurityGroup", lambda ids: {"vpcId": ids["vpc"], "name": "other"}),
    "in": (
        "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        lambda ids: {
            "securityGroupId": ids["other"],
            "referencedSecurityGroupId": ids["group"],
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
        },
    ),
    "eg": (
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        lambda ids: {
            "securityGroupId": ids["other"],
            "cidrIpv4": ANYWHERE,
            "ipProtocol": "-1",
            "description": "out",
        },
    ),
    "classic": (
        "ec2/securityGroupRule:SecurityGroupRule",
        lambda ids: {
            "securityGroupId": ids["other"],
            "type": "ingress",
            "protocol": "tcp",
            "fromPort": 80,
            "toPort": 81,
            "cidrBlocks": ["10.0.0.0/16", "10.1.0.0/16"],
        },
    ),
    "storage": (
        "ec2/vpcEndpoint:VpcEndpoint",
        lambda ids: {
            "vpcId": ids["vpc"],
            "serviceName": "com.amazonaws.us-east-1.s3",
            "routeTableIds": [ids["table"]],
            "policy": POLICY,
        },
    ),
    "registry": (
        "ec2/vpcEndpoint:VpcEndpoint",
        lambda ids: {
            "vpcId": ids["vpc"],
            "serviceName": "com.amazonaws.us-east-1.ecr.api",
            "vpcEndpointType": "Interface",
            "subnetIds": [ids["subnet"]],
            "securityGroupIds": [ids["group"]],
            "privateDnsEnabled": True,
        },
    ),
    "template": (
        "ec2/launchTemplate:LaunchTemplate",
        lambda _: {
            "imageId": "ami-12345678",
            "metadataOptions": {"httpTokens": "required"},
            "blockDeviceMappings": [
                {"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeSize": 20}}
            ],
        },
    ),
}
# Its id tells nothing of its VPC.
NOT_IMPORTABLE = {"main"}
# What an import is given where it is not the id.
IMPORT_IDS: dict[str, Callable[[dict[str, str]], str]] = {
    "association": lambda ids: f"{ids['subnet']}/{ids['table']}",
    "classic": lambda ids: f"{ids['other']}_ingress_tcp_80_81_10.0.0.0/16_10.1.0.0/16",
    "out": lambda ids: f"{ids['table']}_{ANYWHERE}",
}


def test_the_network_stands_and_goes(plugin: Plugin, emulator: RunningEmulator) -> None:
    before = emulator.inventory()
    ids: dict[str, str] = {}
    kept: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {}
    for name, (kind, program) in NETWORK.items():
        token = f"aws:{kind}"
        inputs = plugin.checked(token, program(ids))
        ids[name], state = plugin.create(token, inputs)
        kept[name] = (token, inputs, state)
    for name, (token, inputs, state) in kept.items():
        found, refreshed, _ = plugin.read(token, ids[name], inputs, state)
        assert found == ids[name], name
        assert plugin.diff(token, refreshed, inputs, state) == {}, f"{name} after a refresh"
        if name not in NOT_IMPORTABLE:
            given = IMPORT_IDS[name](ids) if name in IMPORT_IDS else ids[name]
            id_, imported, imported_state = plugin.read(token, given)
            assert id_ == ids[name], f"{name} after an import"
            again = plugin.checked(token, NETWORK[name][1](ids), imported)
            assert plugin.diff(token, imported, again, imported_state) == {}, f"{name} after an import"
    for name, (token, inputs, state) in reversed(kept.items()):
        plugin.delete(token, ids[name], inputs, state)
        if name not in NOT_IMPORTABLE:
            assert plugin.read(token, ids[name], inputs, state)[0] == "", f"{name} is gone"
    # moto keeps deleted endpoints in state `deleted`, which the read above takes for gone.
    left = emulator.inventory() - before
    assert {item for item in left if item[1] != "vpc-endpoint"} == set()
