"""Roles that reach the cluster, and what they are in it."""

import json
from typing import Any

import pytest

from components.cluster.access_policy import access_trust
from components.cluster.access_role import CLUSTER_ADMIN, AccessRole, AccessRoleArgs
from components.cluster.cluster_access import ClusterAccess, ClusterAccessArgs
from components.cluster.kubeconfig import kubeconfig
from components.cluster.rbac import DeveloperRights
from tests.unit.computed_outputs import ACCOUNT_ID
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M35

CLUSTER_ARN = f"arn:aws:eks:us-east-1:{ACCOUNT_ID}:cluster/shop"
ALICE = f"arn:aws:iam::{ACCOUNT_ID}:role/alice"


def trust(principals: list[str], *, second_factor: bool) -> dict[str, Any]:
    (statement,) = json.loads(access_trust(ACCOUNT_ID, principals, second_factor=second_factor))["Statement"]
    parsed: dict[str, Any] = statement
    return parsed


def test_the_account_decides_where_nobody_is_named_and_then_with_a_second_factor() -> None:
    statement = trust([], second_factor=True)

    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_a_machine_has_no_second_factor() -> None:
    assert "Condition" not in trust([], second_factor=False)


def test_named_principals_alone_are_trusted() -> None:
    statement = trust([ALICE], second_factor=True)

    assert statement["Principal"] == {"AWS": [ALICE]}
    assert "Condition" not in statement


def role(**changes: Any) -> Deployment:
    args = AccessRoleArgs(
        description="Reads",
        account_id=ACCOUNT_ID,
        cluster_name="shop",
        cluster_arn=CLUSTER_ARN,
        group="cloudcommerce:auditor",
        **changes,
    )
    return deploy(lambda: AccessRole("access-auditor", args).role_arn)


def test_the_role_is_its_group_in_the_cluster_and_may_find_it() -> None:
    deployment = role()
    entry = deployment.one("AccessEntry").inputs
    (statement,) = json.loads(deployment.one("RolePolicy").inputs["policy"])["Statement"]

    assert entry["principalArn"] == deployment.result == deployment.one("Role").outputs["arn"]
    assert entry["kubernetesGroups"] == ["cloudcommerce:auditor"]
    assert (statement["Action"], statement["Resource"]) == ("eks:DescribeCluster", CLUSTER_ARN)
    assert not deployment.all("AccessPolicyAssociation")


def test_an_access_policy_holds_for_the_whole_cluster() -> None:
    association = role(access_policy_arn=CLUSTER_ADMIN).one("AccessPolicyAssociation")

    assert association.inputs["policyArn"] == CLUSTER_ADMIN
    assert association.inputs["accessScope"] == {"type": "cluster"}


def test_a_policy_of_another_scope_replaces_the_old_one_after_it_is_gone() -> None:
    """EKS keeps one association of a policy and a principal: deleting the old scope would end the new one."""
    association = role(access_policy_arn=CLUSTER_ADMIN).one("AccessPolicyAssociation")

    assert association.options.deleteBeforeReplace


def access(*, bind_platform: bool) -> Deployment:
    args = ClusterAccessArgs(
        namespaces={"order": "order", "user": "user"},
        developers=DeveloperRights.OPERATE,
        bind_platform=bind_platform,
    )
    return deploy(lambda: ClusterAccess("access", args).groups)


def bound(deployment: Deployment) -> set[tuple[str, str, str]]:
    """Who is bound to what, and where (empty for everywhere)."""
    bindings = [*deployment.all("ClusterRoleBinding"), *deployment.all("RoleBinding")]
    return {
        (subject["name"], b.inputs["roleRef"]["name"], b.inputs["metadata"].get("namespace", ""))
        for b in bindings
        for subject in b.inputs["subjects"]
    }


def test_developers_are_bound_to_the_applications_only() -> None:
    everyone = {
        ("cloudcommerce:auditor", "cloudcommerce:auditor", ""),
        ("cloudcommerce:ci", "cloudcommerce:ci", ""),
        ("cloudcommerce:ci", "cloudcommerce:release", "order"),
        ("cloudcommerce:ci", "cloudcommerce:release", "user"),
        ("cloudcommerce:developer", "cloudcommerce:developer", "order"),
        ("cloudcommerce:developer", "cloudcommerce:developer", "user"),
    }

    assert bound(access(bind_platform=False)) == everyone
    assert bound(access(bind_platform=True)) == everyone | {("cloudcommerce:platform", "cluster-admin", "")}


def test_a_kubeconfig_asks_for_a_token_at_each_use_and_holds_none() -> None:
    config = kubeconfig(
        cluster_name="shop",
        endpoint="https://example.com",
        certificate_authority="Q0E=",
        region="us-east-1",
        role_arn=ALICE,
    )

    (user,) = config["users"]
    assert list(user["user"]) == ["exec"]
    assert user["user"]["exec"]["command"] == "aws"
    assert " ".join(user["user"]["exec"]["args"]) == (
        f"eks get-token --cluster-name shop --region us-east-1 --output json --role-arn {ALICE}"
    )
    (context,) = config["contexts"]
    assert config["current-context"] == context["name"] == "shop"
    assert context["context"] == {"cluster": config["clusters"][0]["name"], "user": user["name"]}


def test_without_a_role_the_caller_comes_as_it_is() -> None:
    config = kubeconfig(cluster_name="a", endpoint="b", certificate_authority="c", region="d")

    assert "--role-arn" not in config["users"][0]["user"]["exec"]["args"]
