"""Add-ons stand in kube-system with the shape of the real ones, and report their health as EKS does."""

from collections.abc import Iterator
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.controllers import standin_manifests
from cloudcommerce_sandbox.kubernetes.controllers.addons import AddonsController
from cloudcommerce_sandbox.kubernetes.controllers.nodes import NodesController
from cloudcommerce_sandbox.kubernetes.model import AddonSpec

from sandbox.tests.kubernetes.controllers.conftest import ZONES, Running, cluster, group, instance

pytestmark = [pytest.mark.mission_M39, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(120)]

ALL = (
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "aws-ebs-csi-driver",
    "snapshot-controller",
    "eks-pod-identity-agent",
    "metrics-server",
)


def addon(name: str, status: str = "CREATING", **configuration: Any) -> Any:
    return AddonSpec(
        name=name,
        version="v1.2.3-eksbuild.1",
        status=status,
        configuration=configuration,
        service_account_role_arn="",
    )


def of_kind(objects: Any, kind: str, name: str | None = None) -> Any:
    return next(item for item in objects if item["kind"] == kind and name in (None, item["metadata"]["name"]))


def statuses(running: Running) -> Any:
    return {item.name: item.status for item in running.reports[-1].addons}


@pytest.fixture
def running(api: Any) -> Iterator[Any]:
    made = Running(api, cluster(), [NodesController(), AddonsController()])
    yield made
    made.spec = cluster()
    made.until(lambda: not api.list("apps/v1", "Deployment", namespace="kube-system"))
    for pod in api.list("v1", "Pod", namespace="kube-system"):
        api.delete("v1", "Pod", pod["metadata"]["name"], "kube-system", grace_seconds=0)


def nodes() -> Any:
    return (group([instance(number, zone) for number, zone in enumerate(ZONES, 1)]),)


def test_all_become_active_on_three_small_nodes_and_leave_nothing(running: Running, api: Any) -> None:
    running.spec = cluster(nodegroups=nodes(), addons=tuple(map(addon, ALL)))
    running.until(lambda: statuses(running) == dict.fromkeys(ALL, "ACTIVE"), 60)

    pods = api.list("v1", "Pod", namespace="kube-system", labels="k8s-app=aws-node")
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 3
    assert api.get("storage.k8s.io/v1", "CSIDriver", "ebs.csi.aws.com")
    crd = "volumesnapshots.snapshot.storage.k8s.io"
    assert api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd)

    running.spec = cluster(nodegroups=nodes(), addons=tuple(addon(name, "DELETING") for name in ALL))
    running.until(lambda: statuses(running) == dict.fromkeys(ALL, "GONE"))
    assert not api.list("apps/v1", "DaemonSet", namespace="kube-system")
    assert not api.list("policy/v1", "PodDisruptionBudget", namespace="kube-system")


def test_without_nodes_daemons_are_active_and_coredns_waits(running: Running) -> None:
    running.spec = cluster(addons=(addon("vpc-cni"), addon("coredns")))
    running.until(lambda: statuses(running) == {"vpc-cni": "ACTIVE"})

    running.spec = cluster(addons=(addon("coredns", "ACTIVE"),))
    running.until(lambda: statuses(running) == {"coredns": "DEGRADED"})
    assert running.reports[-1].addons[0].issues[0].code == "InsufficientNumberOfReplicas"


def test_an_unknown_addon_is_degraded_and_the_others_live(running: Running) -> None:
    running.spec = cluster(addons=(addon("coffee-machine"), addon("kube-proxy")))
    running.until(lambda: statuses(running) == {"coffee-machine": "DEGRADED", "kube-proxy": "ACTIVE"})


def test_values_that_the_server_refuses_degrade_only_their_addon(running: Running) -> None:
    running.spec = cluster(addons=(addon("coredns", replicaCount=-1), addon("kube-proxy")))
    running.until(lambda: statuses(running) == {"coredns": "DEGRADED", "kube-proxy": "ACTIVE"})
    issue = running.reports[-1].addons[0].issues[0]
    assert issue.code == "AdmissionRequestDenied"
    assert "replicas" in issue.message


def test_what_people_change_stays_until_the_addon_changes(running: Running, api: Any) -> None:
    running.spec = cluster(addons=(addon("coredns"),))
    running.round()
    api.patch("apps/v1", "Deployment", "coredns", {"spec": {"replicas": 5}}, namespace="kube-system")
    running.round()
    assert api.get("apps/v1", "Deployment", "coredns", "kube-system")["spec"]["replicas"] == 5

    running.spec = cluster(addons=(addon("coredns", replicaCount=3),))
    running.round()
    assert api.get("apps/v1", "Deployment", "coredns", "kube-system")["spec"]["replicas"] == 3

    api.delete("apps/v1", "Deployment", "coredns", "kube-system")
    running.until(lambda: api.get("apps/v1", "Deployment", "coredns", "kube-system"))


@pytest.mark.parametrize(
    ("name", "priority", "requests"),
    [
        ("vpc-cni", "system-node-critical", "25m"),
        ("kube-proxy", "system-node-critical", "100m"),
        ("coredns", "system-cluster-critical", "100m"),
        ("snapshot-controller", None, None),
        ("eks-pod-identity-agent", "system-node-critical", None),
        ("metrics-server", "system-cluster-critical", "100m"),
    ],
)
def test_the_scheduler_sees_what_it_would_see_on_eks(
    name: str, priority: str | None, requests: str | None
) -> None:
    """The stand-ins name their sources; these numbers decide what fits on a small node, and who yields."""
    objects = standin_manifests.manifests(addon(name), "us-east-1")
    workload = next(item for item in objects if item["kind"] in ("Deployment", "DaemonSet"))
    pod = workload["spec"]["template"]["spec"]
    asked = [item.get("resources", {}).get("requests", {}).get("cpu") for item in pod["containers"]]

    assert pod.get("priorityClassName") == priority
    assert "+".join(sorted({cpu for cpu in asked if cpu})) == (requests or "")


def test_values_change_the_shape() -> None:
    tolerations = [{"key": "spot", "operator": "Exists"}]
    controller = {"replicaCount": 1, "tolerations": tolerations, "nodeSelector": {"tier": "general"}}
    values = addon("aws-ebs-csi-driver", controller=controller, defaultStorageClass={"enabled": True})
    objects = standin_manifests.manifests(values, "eu-west-1")
    deployment = of_kind(objects, "Deployment")

    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["template"]["spec"]["tolerations"] == tolerations
    assert of_kind(objects, "DaemonSet")["spec"]["template"]["spec"]["tolerations"] == [
        {"operator": "Exists"}
    ]
    assert of_kind(objects, "StorageClass")["parameters"]["encrypted"] == "true"
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.endswith("eu-west-1.amazonaws.com/eks/aws-ebs-csi-driver:v1.2.3-eksbuild.1")


def test_prefix_delegation_and_network_policy_reach_the_cni() -> None:
    values = addon("vpc-cni", enableNetworkPolicy="true", env={"ENABLE_PREFIX_DELEGATION": "true"})
    containers = of_kind(standin_manifests.manifests(values, "us-east-1"), "DaemonSet")["spec"]["template"][
        "spec"
    ]["containers"]

    assert {"name": "ENABLE_PREFIX_DELEGATION", "value": "true"} in containers[0]["env"]
    assert containers[1]["args"] == ["--enable-network-policy=true"]


def test_a_role_goes_to_the_service_account_that_needs_it() -> None:
    spec = AddonSpec(
        name="vpc-cni", version="v1", status="ACTIVE", configuration={}, service_account_role_arn="arn:role"
    )
    account = of_kind(standin_manifests.manifests(spec, "us-east-1"), "ServiceAccount", "aws-node")
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:role"}
