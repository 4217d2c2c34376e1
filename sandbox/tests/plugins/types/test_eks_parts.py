"""What belongs to an EKS cluster: node groups, add-ons, access entries and pod identity.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_node_group and its siblings.
"""

import json
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import reveal

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network
from sandbox.tests.plugins.types.eks_fixtures import (
    ACCESS_ENTRY,
    ACCESS_POLICY,
    ADDON,
    NEXT_VERSION,
    NODE_GROUP,
    POD_IDENTITY,
    VERSION,
    make_cluster,
    make_launch_template,
    make_role,
)
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused

pytestmark = pytest.mark.mission_M21
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture(scope="module")
def eks(emulator: RunningEmulator) -> Any:
    return emulator.client("eks")


@pytest.fixture(scope="module")
def cluster(emulator: RunningEmulator, network: Network) -> str:
    return make_cluster(emulator, network)


@pytest.fixture(scope="module")
def pod_role(emulator: RunningEmulator) -> str:
    return make_role(emulator, "pods.eks.amazonaws.com")


@pytest.fixture
def nodes(emulator: RunningEmulator, network: Network, cluster: str) -> dict[str, Any]:
    """The program of a production node group."""
    return {
        "clusterName": cluster,
        "nodeRoleArn": make_role(emulator, "ec2.amazonaws.com"),
        "subnetIds": network.subnets,
        "instanceTypes": ["t3.medium"],
        "capacityType": "ON_DEMAND",
        "amiType": "AL2023_x86_64_STANDARD",
        "launchTemplate": {"id": make_launch_template(emulator), "version": "1"},
        "scalingConfig": {"minSize": 2, "desiredSize": 3, "maxSize": 10},
        "updateConfig": {"maxUnavailablePercentage": 33},
        "labels": {"pool": "main", "old": "yes"},
        "taints": [
            {"key": "dedicated", "value": "shop", "effect": "NO_SCHEDULE"},
            {"key": "leaving", "effect": "NO_EXECUTE"},
        ],
        "tags": {"Name": "main"},
    }


def test_a_node_group_settles(engine: PlayedEngine, nodes: dict[str, Any]) -> None:
    group = engine.resource(NODE_GROUP, "main").create(nodes)
    group.assert_settled(nodes)
    assert group.id == f"{nodes['clusterName']}:{group.output('nodeGroupName')}"
    assert group.output("resources")[0]["autoscalingGroups"][0]["name"].startswith("eks-")
    assert group.output("version") == VERSION
    group.delete()
    assert not group.refresh()


def test_a_node_group_changes_in_place(engine: PlayedEngine, eks: Any, nodes: dict[str, Any]) -> None:
    group = engine.resource(NODE_GROUP, "changes").create(nodes)
    changed = {
        **nodes,
        "labels": {"pool": "general", "new": "yes"},
        "taints": [{"key": "dedicated", "value": "payments", "effect": "NO_SCHEDULE"}],
        "scalingConfig": {"minSize": 3, "desiredSize": 4, "maxSize": 12},
        "launchTemplate": {**nodes["launchTemplate"], "version": "2"},
    }
    differing, replacing = group.diff(changed)
    assert differing == {"labels", "taints", "scalingConfig", "launchTemplate"}
    assert not replacing
    group.update(changed).assert_settled(changed)
    found = eks.describe_nodegroup(
        clusterName=nodes["clusterName"], nodegroupName=group.output("nodeGroupName")
    )["nodegroup"]
    assert found["labels"] == changed["labels"]
    assert found["taints"] == changed["taints"]
    assert found["scalingConfig"] == changed["scalingConfig"]
    assert found["launchTemplate"]["version"] == "2"
    group.delete()


def test_what_an_autoscaler_does_is_seen_and_can_be_left_alone(
    engine: PlayedEngine, eks: Any, nodes: dict[str, Any]
) -> None:
    group = engine.resource(NODE_GROUP, "scaled").create(nodes)
    eks.update_nodegroup_config(
        clusterName=nodes["clusterName"],
        nodegroupName=group.output("nodeGroupName"),
        scalingConfig={"desiredSize": 6},
    )
    assert group.refresh()
    assert group.diff(nodes) == ({"scalingConfig"}, set())
    # The engine puts the old value into what `ignoreChanges` names.
    found = reveal(group.inputs)["scalingConfig"]["desiredSize"]
    assert found == 6
    ignoring = {**nodes, "scalingConfig": {**nodes["scalingConfig"], "desiredSize": found}}
    assert group.diff(ignoring) == (set(), set())
    group.delete()


def test_what_replaces_a_node_group(engine: PlayedEngine, emulator: RunningEmulator, nodes: Any) -> None:
    group = engine.resource(NODE_GROUP, "replaced").create(nodes)
    template = {"id": make_launch_template(emulator), "version": "1"}
    assert group.diff({**nodes, "launchTemplate": template})[1] == {"launchTemplate"}
    assert group.diff({**nodes, "instanceTypes": ["t3.large"]})[1] == {"instanceTypes"}
    assert group.diff({**nodes, "capacityType": "SPOT"})[1] == {"capacityType"}
    assert group.diff({**nodes, "version": NEXT_VERSION})[1] == set()
    group.delete()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"scalingConfig": {"minSize": 2, "desiredSize": 11, "maxSize": 10}},
            "scalingConfig.desiredSize: 11 is not between minSize (2) and maxSize (10)",
        ),
        ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 33}}, "conflicts with"),
        ({"launchTemplate": {"id": "lt-1", "name": "one", "version": "1"}}, "launchTemplate.name: conflicts"),
        ({"diskSize": 20}, "diskSize: conflicts with launchTemplate"),
        ({"capacityType": "SPOTS"}, "capacityType: 'SPOTS' is not one of"),
        ({"amiType": "AL2023"}, "amiType: 'AL2023' is not one of"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "taints[0].effect: 'NoSchedule' is not one of"),
        ({"warmPoolConfig": {"minSize": 1}}, "warmPoolConfig: the sandbox does not implement it"),
    ],
)
def test_impossible_node_groups_are_refused(
    engine: PlayedEngine, nodes: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        engine.resource(NODE_GROUP, "wrong").check({**nodes, **change})
    assert reason in str(refused.value)


def test_an_addon_lives_with_its_configuration_and_identity(
    engine: PlayedEngine, eks: Any, cluster: str, pod_role: str
) -> None:
    program = {
        "clusterName": cluster,
        "addonName": "vpc-cni",
        "configurationValues": json.dumps({"env": {"ENABLE_PREFIX_DELEGATION": "true"}}),
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "PRESERVE",
        "tags": {"Name": "vpc-cni"},
    }
    addon = engine.resource(ADDON, "vpc-cni").create(program)
    addon.assert_settled(program, unread=frozenset({"resolveConflictsOnCreate", "resolveConflictsOnUpdate"}))
    assert addon.id == f"{cluster}:vpc-cni"
    assert addon.output("addonVersion").startswith("v1.")
    respaced = {**program, "configurationValues": '{"env":{"ENABLE_PREFIX_DELEGATION":"true"}}'}
    assert addon.diff(respaced) == (set(), set())
    identity = [{"serviceAccount": "aws-node", "roleArn": pod_role}]
    changed = {
        **program,
        "configurationValues": json.dumps({"env": {"WARM_PREFIX_TARGET": "1"}}),
        "podIdentityAssociations": identity,
    }
    addon.update(changed)
    assert addon.refresh()
    assert addon.diff(changed) == (set(), set())
    found = eks.describe_addon(clusterName=cluster, addonName="vpc-cni")["addon"]
    assert json.loads(found["configurationValues"]) == {"env": {"WARM_PREFIX_TARGET": "1"}}
    assert len(found["podIdentityAssociations"]) == 1
    addon.delete()
    assert not addon.refresh()


def test_impossible_addons_are_refused(engine: PlayedEngine, cluster: str) -> None:
    program = {"clusterName": cluster, "addonName": "coredns"}
    with pytest.raises(Refused, match="'PRESERVE' is not one of NONE, OVERWRITE"):
        engine.resource(ADDON, "coredns").check({**program, "resolveConflictsOnCreate": "PRESERVE"})
    with pytest.raises(Refused, match="addon"):
        engine.resource(ADDON, "none").create({**program, "addonName": "no-such-addon"})


def test_access_of_a_role(engine: PlayedEngine, eks: Any, cluster: str, pod_role: str) -> None:
    program = {
        "clusterName": cluster,
        "principalArn": pod_role,
        "kubernetesGroups": ["cloudcommerce:auditor"],
        "tags": {"Name": "auditor"},
    }
    entry = engine.resource(ACCESS_ENTRY, "auditor").create(program)
    entry.assert_settled(program)
    assert entry.id == f"{cluster}:{pod_role}"
    wider = {**program, "kubernetesGroups": ["cloudcommerce:auditor", "cloudcommerce:reader"]}
    assert entry.diff(wider) == ({"kubernetesGroups"}, set())
    entry.update(wider).assert_settled(wider)

    scoped = {
        "clusterName": cluster,
        "principalArn": pod_role,
        "policyArn": VIEW,
        "accessScope": {"type": "namespace", "namespaces": ["shop"]},
    }
    association = engine.resource(ACCESS_POLICY, "auditor").create(scoped)
    association.assert_settled(scoped)
    told = eks.list_associated_access_policies(clusterName=cluster, principalArn=pod_role)
    assert [one["policyArn"] for one in told["associatedAccessPolicies"]] == [VIEW]
    assert association.diff({**scoped, "accessScope": {"type": "cluster"}})[1] == {"accessScope"}
    association.delete()
    assert not association.refresh()
    entry.delete()
    assert not entry.refresh()


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ({"type": "namespace"}, "accessScope.namespaces: is needed"),
        ({"type": "cluster", "namespaces": ["shop"]}, "accessScope.namespaces: can't be given"),
        ({"type": "all"}, "accessScope.type: 'all' is not one of"),
    ],
)
def test_impossible_scopes_are_refused(engine: PlayedEngine, scope: dict[str, Any], reason: str) -> None:
    program = {"clusterName": "c", "principalArn": "arn:aws:iam::123456789012:role/r", "policyArn": VIEW}
    with pytest.raises(Refused) as refused:
        engine.resource(ACCESS_POLICY, "wrong").check({**program, "accessScope": scope})
    assert reason in str(refused.value)


def test_pod_identity(engine: PlayedEngine, emulator: RunningEmulator, cluster: str, pod_role: str) -> None:
    program = {
        "clusterName": cluster,
        "namespace": "shop",
        "serviceAccount": "order",
        "roleArn": pod_role,
        "tags": {"Name": "order"},
    }
    association = engine.resource(POD_IDENTITY, "order").create(program)
    assert association.refresh()
    assert association.diff(program) == (set(), set())
    imported = association.imported(f"{cluster},{association.id}")
    assert imported.id == association.id
    assert imported.diff(program) == (set(), set())
    other = {**program, "roleArn": make_role(emulator, "pods.eks.amazonaws.com")}
    assert association.diff(other) == ({"roleArn"}, set())
    association.update(other)
    assert association.refresh()
    assert association.diff(other) == (set(), set())
    assert association.diff({**other, "serviceAccount": "product"})[1] == {"serviceAccount"}
    with pytest.raises(Refused, match="CLUSTER,ASSOCIATION"):
        association.imported(association.id)
    association.delete()
    assert not association.refresh()
