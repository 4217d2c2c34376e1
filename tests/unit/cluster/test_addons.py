"""Add-ons and identities: pinned, in order, and with no right that they do not use."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cluster.addon import ClusterAddon, ClusterAddonArgs, merged
from components.cluster.addon_catalog import CATALOG, COREDNS, KUBE_PROXY, KUBERNETES_VERSION, VPC_CNI
from components.cluster.identity_policy import volume_key_policy, workload_trust
from components.cluster.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from tests.unit.computed_outputs import ACCOUNT_ID
from tests.unit.mock_engine import deploy

CLUSTER_ARN = f"arn:aws:eks:us-east-1:{ACCOUNT_ID}:cluster/shop"
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/1"

CONFIGURATIONS = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
).filter(lambda value: isinstance(value, dict))


@pytest.mark.mission_M21
def test_the_catalog_has_the_add_ons_of_the_platform() -> None:
    assert set(CATALOG) == {
        "aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "snapshot-controller",
        "vpc-cni",
    }  # fmt: skip
    assert KUBE_PROXY.version.startswith(f"v{KUBERNETES_VERSION}.")
    # Without these three no node becomes ready.
    assert {name for name, release in CATALOG.items() if not release.needs_nodes} == {
        "vpc-cni", "kube-proxy", "eks-pod-identity-agent",
    }  # fmt: skip


def test_the_network_plugin_enforces_policies_and_hands_out_prefixes() -> None:
    deployment = deploy(
        lambda: ClusterAddon("cni", ClusterAddonArgs(cluster_name="shop", release=VPC_CNI)).version
    )
    addon = deployment.one("Addon").inputs
    told = json.loads(addon["configurationValues"])

    assert told["enableNetworkPolicy"] == "true"
    assert told["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert (addon["addonName"], addon["addonVersion"]) == ("vpc-cni", VPC_CNI.version)
    assert (addon["resolveConflictsOnCreate"], addon["resolveConflictsOnUpdate"]) == (
        "OVERWRITE",
        "OVERWRITE",
    )


def test_an_add_on_without_configuration_is_told_nothing() -> None:
    args = ClusterAddonArgs(cluster_name="shop", release=KUBE_PROXY)

    assert (
        "configurationValues" not in deploy(lambda: ClusterAddon("proxy", args).version).one("Addon").inputs
    )


@pytest.mark.mission_M39
def test_dns_is_spread_over_zones_and_survives_a_drain() -> None:
    (spread,) = COREDNS.configuration["topologySpreadConstraints"]

    assert COREDNS.configuration["replicaCount"] >= 2
    assert COREDNS.configuration["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_what_the_stack_says_holds_and_the_rest_stays(base: dict[str, Any], over: dict[str, Any]) -> None:
    result = merged(base, over)

    assert set(result) == {*base, *over}
    assert merged(result, over) == result
    assert all(result[key] == value for key, value in over.items() if not isinstance(value, dict))
    assert all(result[key] == value for key, value in base.items() if key not in over)


def test_sections_are_laid_over_one_another() -> None:
    assert merged({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 4}}) == {"a": {"x": 1, "y": 4}, "b": 3}


@pytest.mark.mission_M35
def test_a_role_goes_to_one_service_account_of_one_cluster() -> None:
    (statement,) = json.loads(workload_trust(CLUSTER_ARN, "kube-system", "aws-node"))["Statement"]

    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": CLUSTER_ARN,
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": "aws-node",
    }


def test_the_driver_grants_its_one_key_to_aws_only() -> None:
    statements = json.loads(volume_key_policy(KEY_ARN))["Statement"]
    (grant,) = [each for each in statements if each["Action"] == "kms:CreateGrant"]

    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert {each["Resource"] for each in statements} == {KEY_ARN}


def test_pods_find_the_role_with_all_its_policies() -> None:
    args = WorkloadIdentityArgs(
        cluster_name="shop",
        cluster_arn=CLUSTER_ARN,
        namespace="kube-system",
        service_account="ebs-csi-controller-sa",
        managed_policies={"managed": "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"},
        policy=volume_key_policy(KEY_ARN),
    )
    deployment = deploy(lambda: WorkloadIdentity("identity", args).association_id)
    association = deployment.one("PodIdentityAssociation")

    assert association.inputs["roleArn"] == deployment.one("Role").outputs["arn"]
    assert association.inputs["serviceAccount"] == "ebs-csi-controller-sa"
    assert {deployment.one("RolePolicyAttachment").urn, deployment.one("RolePolicy").urn} <= set(
        association.depends_on
    )
