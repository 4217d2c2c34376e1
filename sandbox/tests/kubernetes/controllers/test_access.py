"""What the groups of access policies may do, by the API server's own access reviews."""

from collections.abc import Iterator
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers.access import AccessController, known_policies, policy_group
from cloudcommerce_sandbox.kubernetes.model import AccessEntry, AccessPolicy

from sandbox.tests.kubernetes.controllers.conftest import Running, cluster

pytestmark = [pytest.mark.mission_M35, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(120)]

VIEW, EDIT, ADMIN = "AmazonEKSViewPolicy", "AmazonEKSEditPolicy", "AmazonEKSAdminPolicy"
ADMIN_VIEW, CLUSTER_ADMIN = "AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy"


def entry(*policies: Any) -> Any:
    return AccessEntry(
        principal_arn="arn:aws:iam::1:role/r", username="u", groups=(), type="STANDARD", policies=policies
    )


def may(
    api: ClusterApi,
    group: str,
    verb: str,
    resource: str,
    namespace: str = "",
    *,
    api_group: str = "",
    subresource: str = "",
) -> Any:
    attributes = {"verb": verb, "resource": resource, "group": api_group, "subresource": subresource}
    spec = {"user": "u", "groups": [group], "resourceAttributes": {**attributes, "namespace": namespace}}
    review = api.dynamic.resources.get(api_version="authorization.k8s.io/v1", kind="SubjectAccessReview")
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return bool(review.create(body=body).to_dict()["status"]["allowed"])


@pytest.fixture
def running(api: ClusterApi) -> Iterator[Any]:
    made = Running(api, cluster(), [AccessController()])
    yield made
    made.spec = cluster()
    made.round()


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (("list", "pods", ""), {VIEW, EDIT, ADMIN, ADMIN_VIEW, CLUSTER_ADMIN}),
        (("get", "secrets", ""), {EDIT, ADMIN, ADMIN_VIEW, CLUSTER_ADMIN}),
        (("delete", "deployments", "apps"), {EDIT, ADMIN, CLUSTER_ADMIN}),
        (("create", "rolebindings", "rbac.authorization.k8s.io"), {ADMIN, CLUSTER_ADMIN}),
        (("create", "clusterroles", "rbac.authorization.k8s.io"), {CLUSTER_ADMIN}),
        (("list", "nodes", ""), {ADMIN_VIEW, CLUSTER_ADMIN}),
        (("list", "anything", "example.com"), {ADMIN_VIEW, CLUSTER_ADMIN}),
        (("delete", "nodes", ""), {CLUSTER_ADMIN}),
        (("create", "resourcequotas", ""), {CLUSTER_ADMIN}),
    ],
)
def test_policies_allow_what_aws_lists(
    running: Running, api: ClusterApi, action: tuple[str, str, str], allowed: set[str]
) -> None:
    verb, resource, api_group = action
    running.spec = cluster(
        access_entries=(entry(*(AccessPolicy(name=name, namespaces=()) for name in known_policies())),)
    )
    running.round()

    def got() -> Any:  # the server learns of a new binding a moment later
        return {
            name
            for name in known_policies()
            if may(api, policy_group(name), verb, resource, api_group=api_group)
        }

    running.until(lambda: allowed <= got())
    assert got() == allowed


def test_a_policy_of_a_namespace_ends_at_its_border(
    running: Running, api: ClusterApi, namespace: str
) -> None:
    running.spec = cluster(
        access_entries=(entry(AccessPolicy(name=EDIT, namespaces=(namespace, "not-there-yet"))),)
    )
    running.round()
    group = policy_group(EDIT, namespace)

    running.until(lambda: may(api, group, "create", "pods", namespace, subresource="exec"))
    assert not may(api, group, "create", "pods", "default")
    assert not may(api, group, "list", "pods")
    assert not may(api, policy_group(EDIT), "list", "pods", namespace)
    assert not may(api, policy_group(EDIT, "not-there-yet"), "list", "pods", "not-there-yet")


def test_rights_go_with_the_policy(running: Running, api: ClusterApi, namespace: str) -> None:
    running.spec = cluster(access_entries=(entry(AccessPolicy(name=VIEW, namespaces=())),))
    running.round()
    running.until(lambda: may(api, policy_group(VIEW), "list", "pods", namespace))

    running.spec = cluster(access_entries=(entry(),))
    running.round()
    running.until(lambda: not may(api, policy_group(VIEW), "list", "pods", namespace))


def test_the_creator_is_administrator_without_an_entry(running: Running, api: ClusterApi) -> None:
    running.spec = cluster(creator_arn="arn:aws:iam::1:user/c", creator_is_admin=True)
    running.round()
    running.until(lambda: may(api, policy_group(CLUSTER_ADMIN), "delete", "namespaces"))


def test_an_unknown_policy_gives_nothing_and_is_logged(
    running: Running, api: ClusterApi, caplog: pytest.LogCaptureFixture
) -> None:
    running.spec = cluster(access_entries=(entry(AccessPolicy(name="AmazonEMRJobPolicy", namespaces=())),))
    running.round()

    assert "AmazonEMRJobPolicy" in caplog.text
    assert not may(api, policy_group("AmazonEMRJobPolicy"), "get", "pods", "default")
