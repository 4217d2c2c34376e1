"""The control plane: private, encrypted, logged, known by IAM alone."""

from typing import Any

import pytest

from components.cluster.eks_cluster import EksCluster, EksClusterArgs
from tests.unit.mock_engine import Deployment, Resource, deploy

pytestmark = pytest.mark.mission_M21


def cluster(*, preview: bool = False, **changes: Any) -> Deployment:
    known: dict[str, Any] = {
        "cluster_name": "shop",
        "version": "1.35",
        "vpc_id": "vpc",
        "vpc_cidr": "10.40.0.0/16",
        "subnet_ids": ["a", "b", "c"],
        "public_access_cidrs": (),
        "secrets_key_arn": "arn:secrets",
        "logs_key_arn": "arn:operations",
        "log_retention_days": 365,
        "deletion_protection": True,
    }
    args = EksClusterArgs(**(known | changes))

    def program() -> dict[str, Any]:
        made = EksCluster("cluster", args)
        return {output: getattr(made, output) for output in EksCluster.__annotations__}

    return deploy(program, preview=preview)


def component(deployment: Deployment) -> Resource:
    return deployment.one("eks:index:Cluster")


def test_the_api_is_reached_from_inside_the_network_only() -> None:
    given = component(cluster()).inputs

    assert given["endpointPrivateAccess"] is True
    assert given["endpointPublicAccess"] is False
    # The plugin refuses networks where there is no public endpoint.
    assert "publicAccessCidrs" not in given


def test_whoever_is_inside_the_network_gets_through_to_the_private_endpoint() -> None:
    """EKS's own group admits its members alone, and what runs `pulumi up` is none of them."""
    deployment = cluster()
    rule = deployment.one("SecurityGroupIngressRule")

    assert rule.inputs["securityGroupId"] == "cluster-made-by-eks"
    assert (rule.inputs["ipProtocol"], rule.inputs["cidrIpv4"]) == ("tcp", "10.40.0.0/16")
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)


def test_listed_networks_are_let_in() -> None:
    given = component(cluster(public_access_cidrs=("203.0.113.0/24",))).inputs

    assert given["endpointPublicAccess"] is True
    assert given["publicAccessCidrs"] == ["203.0.113.0/24"]


def test_users_are_known_by_iam_and_secrets_encrypted() -> None:
    given = component(cluster()).inputs

    assert given["authenticationMode"] == "API"
    assert given["encryptionConfigKeyArn"] == "arn:secrets"
    assert given["deletionProtection"] is True
    assert given["upgradePolicy"] == {"supportType": "STANDARD"}


def test_nothing_comes_along_that_is_a_resource_of_our_own() -> None:
    given = component(cluster()).inputs

    assert given["skipDefaultNodeGroup"] is True
    assert given["skipDefaultSecurityGroups"] is True
    assert given["useDefaultVpcCni"] is True
    assert given["kubeProxyAddonOptions"]["enabled"] is False
    assert given["corednsAddonOptions"]["enabled"] is False
    for key in ("createInstanceRole", "createOidcProvider", "bootstrapSelfManagedAddons"):
        assert given[key] is False, key


def test_every_log_of_the_control_plane_lands_in_a_group_that_was_there_before() -> None:
    deployment = cluster()
    group = deployment.one("LogGroup")

    assert group.inputs["name"] == "/aws/eks/shop/cluster"
    assert group.inputs["kmsKeyId"] == "arn:operations"
    assert group.inputs["retentionInDays"] == 365
    assert set(component(deployment).inputs["enabledClusterLogTypes"]) == {
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    }  # fmt: skip
    # By property, so that it also outlives the cluster, which would make it anew without key and retention.
    dependencies = component(deployment).options.propertyDependencies["name"].urns
    assert list(dependencies) == [group.urn]
    assert component(deployment).inputs["name"] == "shop"


def test_what_others_need_is_handed_on() -> None:
    made = cluster().one("aws:eks/cluster:Cluster")

    assert cluster().result == {
        "cluster_name": "shop",
        "cluster_arn": made.outputs["arn"],
        "endpoint": made.outputs["endpoint"],
        "certificate_authority": made.outputs["certificateAuthority"]["data"],
        "security_group_id": "cluster-made-by-eks",
        "log_group_name": "/aws/eks/shop/cluster",
    }


def test_a_preview_knows_the_name_before_there_is_a_cluster() -> None:
    assert component(cluster(preview=True)).inputs["name"] == "shop"
