"""Nodes follow instances, and pods live and die on them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.controllers.failures import FailuresController
from cloudcommerce_sandbox.kubernetes.controllers.nodes import NodesController
from cloudcommerce_sandbox.kubernetes.model import LocalNode, LocalSpec, Taint

from sandbox.tests.kubernetes.controllers.conftest import (
    ZONES,
    Running,
    cluster,
    deployment,
    group,
    instance,
    is_ready,
    until,
)

pytestmark = [pytest.mark.mission_M39, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(120)]


@pytest.fixture
def running(api: Any) -> Any:
    """Three nodes in three zones, ready."""
    instances = [instance(number, zone) for number, zone in enumerate(ZONES, 1)]
    made = Running(api, cluster(nodegroups=(group(instances),)), [NodesController(), FailuresController()])
    made.until(lambda: len(made.reports[0].nodegroups[0].ready) == 3)
    return made


def versions(api: Any) -> Any:
    return {node["metadata"]["name"]: node["metadata"]["resourceVersion"] for node in api.list("v1", "Node")}


def names(api: Any) -> Any:
    return sorted(node["metadata"]["name"] for node in api.list("v1", "Node"))


def change(running: Running, **changes: Any) -> None:
    running.spec = cluster(
        nodegroups=(group(**{"instances": running.spec.nodegroups[0].instances, **changes}),)
    )


@pytest.mark.usefixtures("running")
def test_a_node_is_its_instance(api: Any) -> None:
    node = api.get("v1", "Node", "ip-10-0-1-2.ec2.internal")

    assert node["spec"]["providerID"] == "aws:///us-east-1b/i-00000000000000002"
    assert (
        node["metadata"]["labels"].items()
        >= {
            "topology.kubernetes.io/zone": "us-east-1b",
            "topology.kubernetes.io/region": "us-east-1",
            "node.kubernetes.io/instance-type": "t3.medium",
            "eks.amazonaws.com/nodegroup": "main",
            "eks.amazonaws.com/capacityType": "ON_DEMAND",
            "kubernetes.io/arch": "amd64",
            "tier": "general",
        }.items()
    )
    assert node["status"]["allocatable"]["cpu"] == "1930m"
    assert node["status"]["allocatable"]["pods"] == "17"
    assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.35.")


def test_a_deleted_node_comes_back(running: Running, api: Any) -> None:
    api.delete("v1", "Node", "ip-10-0-1-1.ec2.internal")
    running.until(lambda: is_ready(api.get("v1", "Node", "ip-10-0-1-1.ec2.internal") or {}))


def test_a_machine_that_gets_the_address_of_another_does_not_get_its_pods(
    running: Running, api: Any, namespace: str
) -> None:
    api.apply(deployment("web", namespace, 2))
    until(lambda: sum(map(is_ready, running.pods(namespace))) == 2)
    before = {item["metadata"]["uid"] for item in running.pods(namespace)}

    successors = [replace(item, id=f"{item.id[:-1]}f") for item in running.spec.nodegroups[0].instances]
    change(running, instances=tuple(successors))
    running.round()

    assert not before & {item["metadata"]["uid"] for item in running.pods(namespace)}
    running.until(lambda: sum(map(is_ready, running.pods(namespace))) == 2)


def test_pods_move_when_the_group_shrinks(running: Running, api: Any, namespace: str) -> None:
    api.apply(deployment("web", namespace, 3))
    until(lambda: sum(map(is_ready, running.pods(namespace))) == 3)

    change(running, instances=running.spec.nodegroups[0].instances[:1])
    running.until(lambda: names(api) == ["ip-10-0-1-1.ec2.internal"])

    pods = until(
        lambda: [pods := running.pods(namespace), len(pods) == 3 and all(map(is_ready, pods))][1] and pods
    )
    assert {pod["spec"]["nodeName"] for pod in pods} == {"ip-10-0-1-1.ec2.internal"}


def test_a_leaving_node_waits_for_disruption_budgets(running: Running, api: Any, namespace: str) -> None:
    api.apply(deployment("web", namespace, 3))
    until(lambda: sum(map(is_ready, running.pods(namespace))) == 3)
    api.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
        }
    )
    until(
        lambda: (
            (api.get("policy/v1", "PodDisruptionBudget", "web", namespace).get("status") or {}).get(
                "expectedPods"
            )
            == 3
        )
    )
    leaving = running.pods(namespace)[0]["spec"]["nodeName"]
    staying = [item for item in running.spec.nodegroups[0].instances if item.private_dns_name != leaving]
    change(running, instances=staying)
    for _ in range(5):
        running.round()

    assert leaving in names(api)
    assert api.get("v1", "Node", leaving)["spec"]["unschedulable"] is True

    api.delete("policy/v1", "PodDisruptionBudget", "web", namespace)
    running.until(lambda: leaving not in names(api))


def test_a_deleted_group_is_gone_when_its_nodes_are(running: Running, api: Any) -> None:
    change(running, instances=(), status="DELETING")
    running.until(lambda: running.reports[0].nodegroups[0].gone)
    assert names(api) == []


def test_labels_and_taints_follow_the_group_and_spare_others(running: Running, api: Any) -> None:
    name = "ip-10-0-1-1.ec2.internal"
    mine = {"key": "mine", "effect": "NoSchedule"}
    api.patch("v1", "Node", name, {"metadata": {"labels": {"mine": "1"}}, "spec": {"taints": [mine]}})

    change(running, labels={"other": "x"}, taints=(Taint(key="spot", value="yes", effect="NO_EXECUTE"),))
    running.round()
    node = api.get("v1", "Node", name)
    assert node["metadata"]["labels"]["other"] == "x"
    assert node["metadata"]["labels"]["mine"] == "1"
    assert "tier" not in node["metadata"]["labels"]
    assert {(item["key"], item["effect"]) for item in node["spec"]["taints"]} == {
        ("mine", "NoSchedule"),
        ("spot", "NoExecute"),
    }

    change(running)
    running.round()
    node = api.get("v1", "Node", name)
    assert [item["key"] for item in node["spec"]["taints"]] == ["mine"]
    assert node["metadata"]["labels"]["tier"] == "general"


def test_an_unknown_and_a_too_small_type_are_issues_and_the_others_live(api: Any) -> None:
    instances = [instance(1), instance(2, kind="t9.huge"), instance(3, kind="t3.nano")]
    made = Running(api, cluster(nodegroups=(group(instances),)), [NodesController()])
    made.until(lambda: made.reports[0].nodegroups[0].ready == (instances[0].id,))

    issues = {item.code: item.resource_ids for item in made.reports[0].nodegroups[0].issues}
    assert issues == {
        "Ec2InstanceTypeDoesNotExist": (instances[1].id,),
        "NodeCreationFailure": (instances[2].id,),
    }


def test_nodes_of_others_are_left_alone(running: Running, api: Any) -> None:
    api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "theirs"}})
    change(running, instances=())
    running.until(lambda: names(api) == ["theirs"])


def test_a_second_round_writes_nothing(running: Running, api: Any) -> None:
    before = versions(api)
    running.round()
    assert versions(api) == before


def test_a_local_cluster_has_its_nodes_whole(api: Any) -> None:
    local = LocalSpec(
        name="dev",
        version="1.35",
        nodes=(LocalNode(name="dev-1", vcpus=4, memory_mib=8192, zone="a", labels={}, taints=()),),
    )
    made = Running(api, cluster(local=local), [NodesController()])
    node = made.until(lambda: is_ready(api.get("v1", "Node", "dev-1")) and api.get("v1", "Node", "dev-1"))
    assert node["status"]["allocatable"]["cpu"] == "4"
    assert node["status"]["allocatable"]["memory"] == "8Gi"


def pod(name: str, namespace: str, failure: str | None = None, restart: str = "Always", **spec: Any) -> Any:
    annotations = {"sandbox.cloudcommerce.dev/fail": failure} if failure else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"restartPolicy": restart, "containers": [{"name": "main", "image": "shop:1"}], **spec},
    }


def state(api: Any, name: str, namespace: str) -> Any:
    found = (api.get("v1", "Pod", name, namespace) or {}).get("status") or {}
    return (found.get("containerStatuses") or [{}])[0]


@pytest.mark.usefixtures("running")
def test_a_pod_starts_with_its_init_containers_and_sidecars(api: Any, namespace: str) -> None:
    init = [{"name": "setup", "image": "a"}, {"name": "proxy", "image": "b", "restartPolicy": "Always"}]
    api.apply(pod("app", namespace, initContainers=init))
    until(lambda: is_ready(api.get("v1", "Pod", "app", namespace)))

    status = api.get("v1", "Pod", "app", namespace)["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert "running" in status["initContainerStatuses"][1]["state"]
    assert status["podIP"]


@pytest.mark.usefixtures("running")
def test_a_readiness_gate_is_its_owners_to_open(api: Any, namespace: str) -> None:
    api.apply(pod("app", namespace, readinessGates=[{"conditionType": "example.com/ok"}]))
    until(lambda: "running" in state(api, "app", namespace).get("state", {}))
    assert not is_ready(api.get("v1", "Pod", "app", namespace))

    conditions = api.get("v1", "Pod", "app", namespace)["status"]["conditions"]
    opened = [*conditions, {"type": "example.com/ok", "status": "True"}]
    api.patch(
        "v1", "Pod", "app", {"status": {"conditions": opened}}, namespace=namespace, subresource="status"
    )
    until(lambda: is_ready(api.get("v1", "Pod", "app", namespace)))


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("failure", "condition"), [(None, "Complete"), ("crash", "Failed")])
def test_a_job_completes_or_fails(api: Any, namespace: str, failure: str | None, condition: str) -> None:
    annotations = {"sandbox.cloudcommerce.dev/fail": failure} if failure else {}
    container = {"name": "main", "image": "migrate:1"}
    spec = {"restartPolicy": "Never", "containers": [container]}
    template = {"metadata": {"annotations": annotations}, "spec": spec}
    api.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "migrate", "namespace": namespace},
            "spec": {"backoffLimit": 0, "template": template},
        }
    )
    until(
        lambda: any(
            item["type"] == condition and item["status"] == "True"
            for item in (api.get("batch/v1", "Job", "migrate", namespace)["status"].get("conditions") or [])
        )
    )


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("failure", "end"), [("crash", ("Error", 1)), ("oom", ("OOMKilled", 137))])
def test_a_pod_told_to_crash_crashes_again_and_again(
    api: Any, namespace: str, failure: str, end: Any
) -> None:
    api.apply(pod("app", namespace, failure))
    until(lambda: state(api, "app", namespace).get("restartCount", 0) >= 2)
    waiting = state(api, "app", namespace)

    assert waiting["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    ended = waiting["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == end
    assert not is_ready(api.get("v1", "Pod", "app", namespace))


@pytest.mark.usefixtures("running")
def test_a_pod_without_its_image_waits_for_it(api: Any, namespace: str) -> None:
    api.apply(pod("app", namespace, "image"))
    until(
        lambda: (
            state(api, "app", namespace).get("state", {}).get("waiting", {}).get("reason")
            == "ImagePullBackOff"
        )
    )


def test_a_failing_namespace_fails_its_pods_and_recovers(running: Running, api: Any, namespace: str) -> None:
    api.apply(pod("app", namespace))
    api.apply(pod("own", namespace, "image"))
    until(lambda: is_ready(api.get("v1", "Pod", "app", namespace)))

    told: Any = {"metadata": {"annotations": {"sandbox.cloudcommerce.dev/fail": "unready"}}}
    api.patch("v1", "Namespace", namespace, told)
    running.until(lambda: not is_ready(api.get("v1", "Pod", "app", namespace)))
    own = api.get("v1", "Pod", "own", namespace)["metadata"]["annotations"]
    assert own["sandbox.cloudcommerce.dev/fail"] == "image"

    told["metadata"]["annotations"]["sandbox.cloudcommerce.dev/fail"] = None
    api.patch("v1", "Namespace", namespace, told)
    running.until(lambda: is_ready(api.get("v1", "Pod", "app", namespace)))


def _has_readiness(api: Any, node: str, ready: bool) -> Callable[[], bool]:
    return lambda: is_ready(api.get("v1", "Node", node)) is ready


def test_a_node_told_to_fail_is_not_ready_and_recovers(running: Running, api: Any) -> None:
    name = "ip-10-0-1-3.ec2.internal"
    for failure, ready in (("unready", False), (None, True)):
        api.patch(
            "v1", "Node", name, {"metadata": {"annotations": {"sandbox.cloudcommerce.dev/fail": failure}}}
        )
        running.until(_has_readiness(api, name, ready))
        assert (instance(3).id in running.reports[0].nodegroups[0].ready) is ready


def test_a_zone_spread_is_held(running: Running, api: Any, namespace: str) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    api.apply(deployment("web", namespace, 3, topologySpreadConstraints=[spread]))
    until(lambda: sum(map(is_ready, running.pods(namespace))) == 3)
    assert len({item["spec"]["nodeName"] for item in running.pods(namespace)}) == 3


@pytest.mark.usefixtures("running")
def test_what_does_not_fit_stays_pending(api: Any, namespace: str) -> None:
    big = {"name": "main", "image": "a", "resources": {"requests": {"memory": "3400Mi"}}}
    api.apply(pod("big", namespace, containers=[big]))
    message = until(
        lambda: [
            item["message"]
            for item in (api.get("v1", "Pod", "big", namespace)["status"].get("conditions") or [])
            if item.get("reason") == "Unschedulable"
        ]
    )
    assert "Insufficient memory" in json.dumps(message)
