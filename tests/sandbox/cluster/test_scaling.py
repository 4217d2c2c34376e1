"""Node groups grow and shrink, whoever asks: nodes are EC2's instances, and pods move with them."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.sandbox.cluster.groups import Group, is_ready
from tests.sandbox.cluster.standing import Standing
from tests.sandbox.workbench import PROGRAMS, wait_until

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M39, pytest.mark.mission_M70]

Resize = Callable[[Group, int], None]


def _by_command_line(group: Group, size: int) -> None:
    bench = group.standing.bench
    done = subprocess.run(
        [
            *(str(bench.layout.tools / "aws"), "eks", "update-nodegroup-config"),
            *("--cluster-name", group.standing.name, "--nodegroup-name", group.name),
            *("--scaling-config", f"desiredSize={size}"),
        ],
        env=bench.session.engine.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _by_scaling_group(group: Group, size: int) -> None:
    group.standing.bench.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=group.scaling_group, DesiredCapacity=size
    )


@pytest.mark.parametrize("prefix", ["main", "spot"])
@pytest.mark.parametrize("resize", [_by_command_line, _by_scaling_group])
def test_nodes_follow_a_groups_size(standing: Standing, prefix: str, resize: Resize) -> None:
    group = Group.of(standing, prefix)
    size = len(group.nodes())
    assert size == group.described()["scalingConfig"]["desiredSize"]

    resize(group, size + 1)
    grown = group.settles(size + 1, "after growing")
    group.must_match(grown)
    zones = Counter(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in grown)
    assert max(zones.values()) - min(zones.values()) <= 1
    assert len(zones) == min(len(grown), len(group.described()["subnets"]))

    resize(group, size)
    group.must_match(group.settles(size, "after shrinking"))
    assert group.described()["scalingConfig"]["desiredSize"] == size


@pytest.mark.parametrize("prefix", ["main", "spot"])
def test_terminated_instance_is_replaced(standing: Standing, prefix: str) -> None:
    group = Group.of(standing, prefix)
    before = group.nodes()
    lost, size = before[0], len(before)
    its_pods = _pods_on(standing, lost)

    standing.bench.client("ec2").terminate_instances(
        InstanceIds=[lost["spec"]["providerID"].rpartition("/")[2]]
    )

    def is_replaced() -> bool:
        uids = {node["metadata"]["uid"] for node in group.nodes()}
        return lost["metadata"]["uid"] not in uids and len(uids) == size

    wait_until(is_replaced, "a node in the place of the lost one", 90)
    group.must_match(group.settles(size, "after the loss"))
    # The machine that came may have the address, and so the name, of the one that went; its pods it has not.
    wait_until(lambda: not its_pods & _pods_on(standing, lost), "an end of the pods that ran on it")


def _pods_on(standing: Standing, node: dict[str, Any]) -> set[str]:
    pods = standing.read("pods", "-A", "--field-selector", f"spec.nodeName={node['metadata']['name']}")
    return {pod["metadata"]["uid"] for pod in pods["items"]}


def _zones(standing: Standing) -> dict[str, str]:
    """The subnets of the main group by the letters of their zones."""
    subnets = Group.of(standing, "main").described()["subnets"]
    found = standing.bench.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    return {subnet["AvailabilityZone"][-1]: subnet["SubnetId"] for subnet in found}


@contextmanager
def _stack_of_groups(standing: Standing) -> Iterator[Callable[..., None]]:
    """Yield what brings a stack to other node groups: by name, what differs from one node in zone a."""
    common = {"cluster": standing.name, "role": Group.of(standing, "main").described()["nodeRole"]}
    subnet = _zones(standing)["a"]
    bench = standing.stack("node-groups", **common, groups={})
    bench.program(PROGRAMS / "node_groups.py")

    def bring(**groups: dict[str, Any]) -> None:
        wanted = {
            name: {"least": 1, "most": 4, "labels": {}, "taints": [], "subnets": [subnet], **group}
            for name, group in groups.items()
        }
        bench.settings(**common, groups=wanted)
        bench.must_up()

    try:
        yield bring
    finally:
        bring()


def test_nodes_follow_the_program(standing: Standing) -> None:
    bench = standing.bench
    with _stack_of_groups(standing) as bring:
        bring(extra={})
        group = Group.of(standing, "extra")
        [first] = group.settles(1, "after creation")
        group.must_match([first])

        bring(extra={"least": 2, "most": 3, "labels": {"tier": "gold"}, "taints": ["reserved"]})
        nodes = group.settles(2, "after a change")
        wait_until(
            lambda: all(node["metadata"]["labels"].get("tier") == "gold" for node in group.nodes()), "labels"
        )
        group.must_match(group.nodes())
        assert first["metadata"]["uid"] in {node["metadata"]["uid"] for node in nodes}, "it was not replaced"
        scaling = bench.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[group.scaling_group]
        )["AutoScalingGroups"][0]
        assert (scaling["MinSize"], scaling["MaxSize"]) == (2, 3)

        bring(extra={"least": 2, "most": 3})
        wait_until(
            lambda: not any({"tier"} & {*node["metadata"]["labels"]} for node in group.nodes()), "no label"
        )
        wait_until(lambda: not any(node["spec"].get("taints") for node in group.nodes()), "no taint")
        group.must_match(group.nodes())

        bring()
        assert group.nodes() == []
        assert group.instances() == []
        assert "extra" not in bench.client("eks").list_nodegroups(clusterName=standing.name)["nodegroups"]


def _deployment(name: str, replicas: int, *, must_spread: bool) -> dict[str, Any]:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule" if must_spread else "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": name}},
        **({"minDomains": 2} if must_spread else {}),
    }
    pod = {
        "nodeSelector": {"pool": "extra"},
        "topologySpreadConstraints": [spread],
        "containers": [{"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def _budget(name: str, **amount: int) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, **amount},
    }


@pytest.fixture
def namespace(standing: Standing) -> Iterator[str]:
    name = "scaling"
    standing.kubectl("create", "namespace", name)
    yield name
    standing.kubectl("delete", "namespace", name)


@contextmanager
def _group_in(standing: Standing, zone: str) -> Iterator[None]:
    """A group of one node, all in one zone; when it is deleted, its node goes."""
    eks, name = standing.bench.client("eks"), f"zone-{zone}"
    eks.create_nodegroup(
        clusterName=standing.name,
        nodegroupName=name,
        subnets=[_zones(standing)[zone]],
        nodeRole=Group.of(standing, "main").described()["nodeRole"],
        instanceTypes=["t3.medium"],
        scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 1},
        labels={"pool": "extra"},
    )
    try:
        Group(standing, name).settles(1, "after creation")
        yield
    finally:
        eks.delete_nodegroup(clusterName=standing.name, nodegroupName=name)
        wait_until(
            lambda: name not in eks.list_nodegroups(clusterName=standing.name)["nodegroups"], "its end", 90
        )
        assert Group(standing, name).nodes() == []
        assert Group(standing, name).instances() == []


@pytest.mark.mission_M21
def test_pods_move_as_budgets_and_constraints_say(standing: Standing, namespace: str) -> None:
    """A zone's nodes leave: no budget is overrun, and who must be in two zones waits for the second."""

    def pods(app: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = standing.read("pods", "-n", namespace, "-l", f"app={app}")["items"]
        return found

    def ready(app: str) -> list[dict[str, Any]]:
        return [pod for pod in pods(app) if is_ready(pod)]

    def zones(app: str) -> Counter[str]:
        zone_of = {
            node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"][-1]
            for node in standing.read("nodes")["items"]
        }
        return Counter(zone_of.get(pod["spec"]["nodeName"], "gone") for pod in ready(app))

    eks = standing.bench.client("eks")
    with _group_in(standing, "a"), _group_in(standing, "b"):
        for app in ("strict", "relaxed", "guarded"):
            deployment = _deployment(app, 4, must_spread=app == "strict")
            standing.kubectl("create", "-n", namespace, "-f", "-", given=deployment)
        standing.kubectl("create", "-n", namespace, "-f", "-", given=_budget("relaxed", minAvailable=3))
        standing.kubectl("create", "-n", namespace, "-f", "-", given=_budget("guarded", maxUnavailable=0))
        for app in ("strict", "relaxed", "guarded"):
            wait_until(lambda app=app: len(ready(app)) == 4, f"{app} runs")  # type: ignore[misc]  # bound early
            assert zones(app) == {"a": 2, "b": 2}

        eks.update_nodegroup_config(
            clusterName=standing.name,
            nodegroupName="zone-b",
            scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 0},
        )
        seen: list[int] = []

        def has_moved() -> bool:
            seen.append(len(ready("relaxed")))
            return zones("relaxed") == {"a": 4}

        wait_until(has_moved, "the relaxed pods are in the other zone")
        assert min(seen) >= 3, "the budget was overrun"
        assert zones("guarded") == {"a": 2, "b": 2}, "nobody may evict these"
        [node] = Group(standing, "zone-b").nodes()
        assert node["spec"]["unschedulable"]

        standing.kubectl("delete", "poddisruptionbudget", "guarded", "-n", namespace)
        wait_until(lambda: Group(standing, "zone-b").nodes() == [], "the zone's node is gone")
        wait_until(lambda: zones("guarded") == {"a": 4}, "the guarded pods have moved")
        wait_until(lambda: len(pods("strict")) == 4 and zones("strict") == {"a": 2}, "the strict pods wait")
        waiting = [pod for pod in pods("strict") if pod["status"]["phase"] == "Pending"]
        assert len(waiting) == 2
        assert "topology spread" in json.dumps([pod["status"]["conditions"] for pod in waiting])

        eks.update_nodegroup_config(
            clusterName=standing.name, nodegroupName="zone-b", scalingConfig={"desiredSize": 1}
        )
        wait_until(lambda: zones("strict") == {"a": 2, "b": 2}, "the strict pods have their second zone")

        # With nowhere to go, its pods would hold the groups' deletion up for as long as the budget is heeded.
        standing.kubectl("delete", "poddisruptionbudget", "relaxed", "-n", namespace)
