"""Nodes: what they are, what they carry, and what they may not do."""

import base64
import json
from typing import Any

import pytest

from components.cluster.node_group import GROUP_LABEL, NodeGroup, NodeGroupArgs
from components.cluster.node_role import NodeRole
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M21

SPOT_TYPES = ("m6i.large", "m6a.large", "m5.large", "m5a.large", "m7i.large", "m7a.large")


def group(**changes: Any) -> Deployment:
    known: dict[str, Any] = {
        "cluster_name": "shop",
        "version": "1.35",
        "role_arn": "arn:role",
        "subnet_ids": ["a", "b", "c"],
        "security_group_ids": ["cluster", "workloads"],
        "volume_key_arn": "arn:operations",
        "capacity_type": "ON_DEMAND",
        "instance_types": ("t3.medium",),
        "min_size": 2,
        "max_size": 10,
        "volume_gib": 50,
        "tags": {"Owner": "platform"},
    }
    return deploy(lambda: NodeGroup("main", NodeGroupArgs(**(known | changes))).node_group_name)


def test_the_metadata_service_wants_a_token_and_ends_at_the_node() -> None:
    options = group().one("LaunchTemplate").inputs["metadataOptions"]

    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)


def test_disks_are_encrypted_with_a_key_of_ours() -> None:
    (device,) = group().one("LaunchTemplate").inputs["blockDeviceMappings"]

    assert device["ebs"] == {
        "volumeType": "gp3",
        "volumeSize": 50,
        "encrypted": "true",
        "kmsKeyId": "arn:operations",
        "deleteOnTermination": "true",
    }


def test_instances_and_disks_carry_the_tags_that_no_provider_gives_them() -> None:
    specifications = group().one("LaunchTemplate").inputs["tagSpecifications"]

    assert {each["resourceType"] for each in specifications} == {"instance", "volume", "network-interface"}
    assert all(each["tags"] == {"Owner": "platform", "Name": "main"} for each in specifications)


def test_nodes_carry_the_group_that_the_stores_admit() -> None:
    assert group().one("LaunchTemplate").inputs["vpcSecurityGroupIds"] == ["cluster", "workloads"]


def test_a_change_of_the_template_reaches_the_nodes() -> None:
    deployment = group()
    template = deployment.one("LaunchTemplate")

    assert deployment.one("aws:eks/nodeGroup:NodeGroup").inputs["launchTemplate"] == {
        "id": "main-id",
        "version": str(template.outputs["latestVersion"]),
    }


@pytest.mark.mission_M39
def test_how_many_nodes_there_are_is_left_to_the_autoscaler() -> None:
    nodes = group().one("aws:eks/nodeGroup:NodeGroup")

    assert nodes.inputs["scalingConfig"] == {"minSize": 2, "maxSize": 10, "desiredSize": 2}
    assert nodes.ignore_changes == ("scalingConfig.desiredSize",)


@pytest.mark.mission_M39
def test_nodes_stand_in_every_zone_are_repaired_and_updated_a_few_at_a_time() -> None:
    nodes = group().one("aws:eks/nodeGroup:NodeGroup").inputs

    assert nodes["subnetIds"] == ["a", "b", "c"]
    assert nodes["nodeRepairConfig"] == {"enabled": True}
    assert nodes["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert nodes["labels"] == {GROUP_LABEL: "main"}
    assert nodes["taints"] == []


def test_spot_nodes_are_of_many_types_and_tainted() -> None:
    nodes = group(
        capacity_type="SPOT", instance_types=SPOT_TYPES, taints={"cloudcommerce.io/spot": "true"}
    ).one("aws:eks/nodeGroup:NodeGroup")

    assert nodes.inputs["capacityType"] == "SPOT"
    assert nodes.inputs["instanceTypes"] == list(SPOT_TYPES)
    assert nodes.inputs["taints"] == [
        {"key": "cloudcommerce.io/spot", "value": "true", "effect": "NO_SCHEDULE"}
    ]


@pytest.mark.parametrize(("types", "pods"), [(("t3.medium",), 30), (SPOT_TYPES, 65)])
def test_the_kubelet_admits_as_many_pods_as_have_memory(types: tuple[str, ...], pods: int) -> None:
    template = group(instance_types=types).one("LaunchTemplate")

    assert f'"maxPods": {pods},' in base64.b64decode(template.inputs["userData"]).decode()


def test_nodes_join_and_pull_and_nothing_else() -> None:
    deployment = deploy(lambda: NodeRole("node-role").role_arn)
    (statement,) = json.loads(deployment.one("Role").inputs["assumeRolePolicy"])["Statement"]

    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert {
        each.inputs["policyArn"].rpartition("/")[2] for each in deployment.all("RolePolicyAttachment")
    } == {
        "AmazonEKSWorkerNodeMinimalPolicy",
        "AmazonEC2ContainerRegistryPullOnly",
    }
    assert deployment.result == deployment.one("Role").outputs["arn"]
