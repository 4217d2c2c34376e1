"""A namespace and what keeps those in it apart."""

from typing import Any

import pytest

from components.cluster.block_storage import BlockStorage, BlockStorageArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.quota import Quota
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M35

QUOTA = Quota(cpu=4, memory_gib=8, pods=40, storage_gib=20)


def namespace(**changes: Any) -> Deployment:
    known: dict[str, Any] = {
        "namespace": "order",
        "kubernetes_version": "1.35",
        "quota": QUOTA,
        "protect": True,
        "labels": {"app.kubernetes.io/part-of": "shop"},
    }
    return deploy(lambda: Namespace("namespace-order", NamespaceArgs(**(known | changes))).namespace_name)


def test_pods_have_to_be_restricted_by_the_standards_of_a_pinned_version() -> None:
    metadata = namespace().one("kubernetes:core/v1:Namespace").inputs["metadata"]

    assert metadata["name"] == "order"
    assert metadata["labels"] == {
        "app.kubernetes.io/part-of": "shop",
        **{f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
        **{f"pod-security.kubernetes.io/{mode}-version": "v1.35" for mode in ("enforce", "audit", "warn")},
    }


def test_a_lower_level_still_warns_of_what_is_not_restricted() -> None:
    labels = namespace(enforce="baseline").one("kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"


def test_labels_cannot_lift_the_level() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    metadata = namespace(labels=labels).one("kubernetes:core/v1:Namespace").inputs["metadata"]

    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.mission_M39
def test_what_its_pods_may_take_is_limited() -> None:
    assert namespace().one("ResourceQuota").inputs["spec"]["hard"] == {
        "requests.cpu": "4",
        "requests.memory": "8Gi",
        "limits.memory": "8Gi",
        "pods": "40",
        "requests.storage": "20Gi",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }


@pytest.mark.mission_M39
def test_a_container_that_asks_for_nothing_gets_what_the_quota_counts() -> None:
    """A quota on a resource refuses every pod that does not state it."""
    deployment = namespace()
    hard = deployment.one("ResourceQuota").inputs["spec"]["hard"]
    (limits,) = deployment.one("LimitRange").inputs["spec"]["limits"]

    assert limits["type"] == "Container"
    assert {key.partition(".")[2] for key in hard if key in ("requests.cpu", "requests.memory")} <= set(
        limits["defaultRequest"]
    )
    assert "memory" in limits["default"]
    assert limits["max"] == {"memory": "2Gi"}


def test_everything_is_denied_both_ways() -> None:
    spec = namespace().named("namespace-order-deny-all").inputs["spec"]

    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_the_clusters_dns_may_be_asked() -> None:
    spec = namespace().named("namespace-order-allow-dns").inputs["spec"]
    (rule,) = spec["egress"]

    assert spec["policyTypes"] == ["Egress"]
    assert rule["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    # Both selectors in one peer: the DNS pods of kube-system, not all pods there and DNS pods anywhere.
    assert rule["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ]


@pytest.mark.parametrize("protect", [True, False])
def test_only_the_namespace_itself_is_protected(protect: bool) -> None:
    protected = [each.name for each in namespace(protect=protect).resources if each.protect]

    assert protected == (["namespace-order"] if protect else [])


def test_volumes_are_encrypted_and_wait_for_their_pod() -> None:
    args = BlockStorageArgs(key_arn="arn:operations")
    given = deploy(lambda: BlockStorage("storage", args).storage_class).one("StorageClass").inputs

    assert given["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": "arn:operations"}
    assert given["volumeBindingMode"] == "WaitForFirstConsumer"
    assert given["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
