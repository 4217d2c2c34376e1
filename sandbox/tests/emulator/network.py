"""A small network for the tests of services that live in one."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from sandbox.tests.emulator.conftest import RunningEmulator

_NUMBERS = count(1)


def unique(prefix: str) -> str:
    """A name that no other test of this process uses."""
    return f"{prefix}-{next(_NUMBERS)}"


@dataclass(frozen=True)
class Network:
    vpc: str
    subnets: list[str]
    security_group: str


def make_network(emulator: RunningEmulator, zones: str = "abc", region: str = "us-east-1") -> Network:
    ec2: Any = emulator.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
        for i, zone in enumerate(zones)
    ]
    group = ec2.create_security_group(GroupName=unique("db"), Description="database", VpcId=vpc)
    return Network(vpc, [subnet["SubnetId"] for subnet in subnets], group["GroupId"])
