"""A node group of the tests' cluster, as EKS, Auto Scaling, EC2 and the API server each see it."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.cluster.standing import Standing
from tests.sandbox.workbench import wait_until

# Of `kubectl describe node` of nodes of Amazon Linux 2023 on EKS: CPU, memory in KiB within 2 %, pods.
# For each pod more, which a launch template lets in, its reserve takes 11 MiB.
ALLOCATABLE = {"t3.medium": ("1930m", 3_388_360, 17), "m6i.large": ("1930m", 7_243_328, 29)}
KIB_PER_POD = 11 * 1024
TOLERANCE = 0.02
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


@dataclass(frozen=True)
class Group:
    """A node group of the cluster, as EKS, Auto Scaling, EC2 and the API server each see it."""

    standing: Standing
    name: str

    @classmethod
    def of(cls, standing: Standing, prefix: str) -> "Group":
        names = standing.bench.client("eks").list_nodegroups(clusterName=standing.name)["nodegroups"]
        [name] = [name for name in names if name.startswith(prefix)]
        return cls(standing, name)

    def described(self) -> dict[str, Any]:
        eks = self.standing.bench.client("eks")
        found: dict[str, Any] = eks.describe_nodegroup(
            clusterName=self.standing.name, nodegroupName=self.name
        )["nodegroup"]
        return found

    @property
    def scaling_group(self) -> str:
        return str(self.described()["resources"]["autoScalingGroups"][0]["name"])

    def instances(self) -> list[dict[str, Any]]:
        """Those that run, as EC2 tells of them."""
        filters = [
            {"Name": "tag:eks:nodegroup-name", "Values": [self.name]},
            {"Name": "tag:eks:cluster-name", "Values": [self.standing.name]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
        ]
        found = self.standing.bench.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def nodes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.standing.read(
            "nodes", "-l", f"eks.amazonaws.com/nodegroup={self.name}"
        )["items"]
        return found

    def settles(self, size: int, what: str) -> list[dict[str, Any]]:
        """Wait until there are so many ready nodes, one for each instance."""

        def settled() -> bool:
            nodes = self.nodes()
            machines = {_provider_id(instance) for instance in self.instances()}
            ready = {node["spec"]["providerID"] for node in nodes if is_ready(node)}
            return len(nodes) == size and ready == machines

        wait_until(settled, f"{size} nodes of {self.name} {what}", 90)
        wait_until(lambda: self.described()["status"] == "ACTIVE", f"{self.name} is active again", 30)
        return self.nodes()

    def must_match(self, nodes: list[dict[str, Any]]) -> None:
        """Compare each node with its instance and the group."""
        described, machines = self.described(), {_provider_id(each): each for each in self.instances()}
        wanted_taints = {
            (taint["key"], taint.get("value", ""), EFFECTS[taint["effect"]])
            for taint in described.get("taints", [])
        }
        for node in nodes:
            machine, labels = machines[node["spec"]["providerID"]], node["metadata"]["labels"]
            assert node["metadata"]["name"] == machine["PrivateDnsName"]
            assert labels["node.kubernetes.io/instance-type"] == machine["InstanceType"]
            assert labels["topology.kubernetes.io/zone"] == machine["Placement"]["AvailabilityZone"]
            assert labels["eks.amazonaws.com/capacityType"] == described["capacityType"]
            assert described.get("labels", {}).items() <= labels.items()
            taints = node["spec"].get("taints", [])
            assert {(each["key"], each.get("value", ""), each["effect"]) for each in taints} == wanted_taints
            addresses = {each["type"]: each["address"] for each in node["status"]["addresses"]}
            assert addresses["InternalIP"] == machine["PrivateIpAddress"]
            if expected := ALLOCATABLE.get(machine["InstanceType"]):
                has = node["status"]["allocatable"]
                cpu, memory, pods = expected
                memory -= (int(has["pods"]) - pods) * KIB_PER_POD
                assert has["cpu"] == cpu
                assert int(has["memory"].removesuffix("Ki")) == pytest.approx(memory, rel=TOLERANCE)


def _provider_id(instance: dict[str, Any]) -> str:
    return f"aws:///{instance['Placement']['AvailabilityZone']}/{instance['InstanceId']}"


def is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
