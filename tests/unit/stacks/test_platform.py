"""The platform as production composes it."""

import json
import re

import pytest

from components.cluster.addon_catalog import CATALOG
from tests.unit.mock_engine import Deployment, Resource
from tests.unit.stacks import program
from tests.unit.stacks.program import deploy_production, stack_file


@pytest.fixture(scope="module")
def production() -> Deployment:
    return program.production()


def inside(deployment: Deployment) -> list[Resource]:
    return [r for r in deployment.resources if r.type.startswith("kubernetes:")]


def before(deployment: Deployment, resource: Resource) -> set[str]:
    """Everything that the engine makes before a resource and deletes after it, by URN."""
    by_urn = {r.urn: r for r in deployment.resources}
    seen: set[str] = set()
    waiting = [resource]
    while waiting:
        each = waiting.pop()
        known = [*each.depends_on, each.provider.rpartition("::")[0]]
        fresh = {urn for urn in known if urn in by_urn} - seen
        seen |= fresh
        waiting += [by_urn[urn] for urn in fresh]
    return seen


@pytest.mark.mission_M21
def test_two_node_groups_stand_in_the_private_subnets_of_all_zones(production: Deployment) -> None:
    groups = {r.name: r.inputs for r in production.all("aws:eks/nodeGroup:NodeGroup")}
    main = groups["main"]

    assert set(groups) == {"main", "spot"}
    assert all(each["subnetIds"] == [f"core-private-{zone}-id" for zone in "abc"] for each in groups.values())
    assert (main["instanceTypes"], main["capacityType"]) == (["t3.medium"], "ON_DEMAND")
    assert (main["scalingConfig"]["minSize"], main["scalingConfig"]["maxSize"]) == (2, 10)
    assert groups["spot"]["capacityType"] == "SPOT"
    assert len(set(groups["spot"]["instanceTypes"])) >= 6
    assert groups["spot"]["taints"]


@pytest.mark.mission_M21
@pytest.mark.parametrize("group", ["main", "spot"])
def test_nodes_find_the_network_plugin_and_its_identity_in_place(production: Deployment, group: str) -> None:
    first = before(production, production.named(group, "aws:eks/nodeGroup:NodeGroup"))

    for addon in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        assert production.named(f"addon-{addon}", "Addon").urn in first
    assert production.named("identity-vpc-cni", "PodIdentityAssociation").urn in first
    assert production.named("addon-coredns", "Addon").urn not in first


@pytest.mark.mission_M21
def test_add_ons_are_those_of_the_catalog_and_the_driver_tags_its_volumes(production: Deployment) -> None:
    addons = {r.inputs["addonName"]: r.inputs for r in production.all("aws:eks/addon:Addon")}
    told = json.loads(addons["aws-ebs-csi-driver"]["configurationValues"])

    assert {name: each["addonVersion"] for name, each in addons.items()} == {
        name: release.version for name, release in CATALOG.items()
    }
    assert told["controller"]["extraVolumeTags"]["Owner"] == "platform@cloudcommerce.example"
    assert told["defaultStorageClass"] == {"enabled": False}


def test_nodes_carry_the_stacks_tags(production: Deployment) -> None:
    template = production.named("main", "LaunchTemplate").inputs

    assert all(each["tags"]["CostCenter"] == "CC-1001" for each in template["tagSpecifications"])


@pytest.mark.mission_M35
@pytest.mark.parametrize("group", ["main", "spot"])
def test_nodes_carry_the_group_that_the_stores_admit(production: Deployment, group: str) -> None:
    carried = production.named(group, "LaunchTemplate").inputs["vpcSecurityGroupIds"]

    assert carried == ["cluster-made-by-eks", "workloads-id"]


def test_objects_in_the_cluster_go_before_what_they_need_to_go(production: Deployment) -> None:
    """A volume is released by the driver, and a pod ended by its node."""
    needed = {
        r.urn
        for r in (*production.all("aws:eks/nodeGroup:NodeGroup"), *production.all("aws:eks/addon:Addon"))
    }

    assert len(needed) == 8
    assert not [each.urn for each in inside(production) if not needed <= before(production, each)]


def test_the_way_to_the_api_is_open_before_anything_takes_it(production: Deployment) -> None:
    rule = production.named("cluster-api", "SecurityGroupIngressRule")

    assert rule.inputs["cidrIpv4"] == production.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"]
    assert not [each.urn for each in inside(production) if rule.urn not in before(production, each)]


def test_the_provider_is_told_the_cluster_by_its_arn(production: Deployment) -> None:
    """Otherwise another endpoint would replace everything in the cluster."""
    (provider,) = (r for r in production.resources if r.type == "pulumi:providers:kubernetes")

    assert provider.inputs["clusterIdentifier"] == production.one("aws:eks/cluster:Cluster").outputs["arn"]
    assert provider.inputs["enableServerSideApply"] == "true"
    assert "--role-arn" not in provider.inputs["kubeconfig"]
    assert {r.provider.rpartition("::")[0] for r in inside(production)} == {provider.urn}


@pytest.mark.mission_M35
def test_each_role_reaches_the_cluster_as_its_group(production: Deployment) -> None:
    entries = {r.inputs["principalArn"]: r.inputs["kubernetesGroups"] for r in production.all("AccessEntry")}
    found = {}
    for role, config in production.exports["kubeconfigs"].items():
        arguments = config["users"][0]["user"]["exec"]["args"]
        found[role] = entries[arguments[arguments.index("--role-arn") + 1]]

    assert found == {role: [f"cloudcommerce:{role}"] for role in ("platform", "developer", "auditor", "ci")}
    (admin,) = production.all("AccessPolicyAssociation")
    assert admin.name == "access-platform-policy"


@pytest.mark.mission_M35
def test_people_need_a_second_factor(production: Deployment) -> None:
    demanded = {
        r.name
        for r in production.all("aws:iam/role:Role")
        if "aws:MultiFactorAuthPresent" in r.inputs["assumeRolePolicy"]
    }

    assert demanded == {"access-platform", "access-developer", "access-auditor"}


@pytest.mark.mission_M35
def test_principals_of_the_settings_are_trusted_by_their_role_only() -> None:
    alice = "arn:aws:iam::123456789012:role/alice"
    cluster = stack_file()["cloudcommerce:cluster"] | {
        "access": {"auditor": [alice]},
        "publicAccessCidrs": ["203.0.113.0/24"],
    }
    deployment = deploy_production(cluster=cluster)

    assert [r.name for r in deployment.all("aws:iam/role:Role") if alice in r.inputs["assumeRolePolicy"]] == [
        "access-auditor"
    ]
    assert deployment.one("eks:index:Cluster").inputs["publicAccessCidrs"] == ["203.0.113.0/24"]


@pytest.mark.mission_M35
def test_every_namespace_has_its_guard_rails(production: Deployment) -> None:
    namespaces = {r.inputs["metadata"]["name"] for r in production.all("kubernetes:core/v1:Namespace")}

    assert namespaces == {"user", "product", "order"} == set(production.exports["namespaces"])
    for kind in ("ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"):
        assert {r.inputs["metadata"]["namespace"] for r in production.all(kind)} == namespaces, kind


def test_everything_in_the_cluster_is_named_by_the_program(production: Deployment) -> None:
    """Kubernetes objects are asked for by name; one with a random suffix is found by nobody."""
    assert not [r.urn for r in inside(production) if not r.inputs["metadata"].get("name")]


def test_kubeconfigs_hold_no_secret(production: Deployment) -> None:
    assert "kubeconfigs" not in production.secret_exports
    assert not re.search(r'"token"|password|client-key', json.dumps(production.exports["kubeconfigs"]))
