"""Volumes of a cluster, and what its stack leaves when it goes: the last test of the cluster that stands."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.clusters import running_clusters
from cloudcommerce_sandbox.processes import is_alive

from tests.sandbox.cluster.standing import StackBench, Standing

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

ZONE = "topology.kubernetes.io/zone"
PROGRAM = f"""
k8s.apps.v1.StatefulSet(
    "store",
    metadata=meta("store"),
    spec={{
        "service_name": "store",
        "replicas": 2,
        "selector": {{"match_labels": {{"app": "store"}}}},
        "template": {{
            "metadata": {{"labels": {{"app": "store"}}}},
            "spec": {{
                "containers": [container(volume_mounts=[{{"name": "data", "mount_path": "/data"}}])],
                "topology_spread_constraints": [{{
                    "max_skew": 1,
                    "topology_key": "{ZONE}",
                    "when_unsatisfiable": "DoNotSchedule",
                    "label_selector": {{"match_labels": {{"app": "store"}}}},
                }}],
            }},
        }},
        "volume_claim_templates": [{{
            "metadata": {{"name": "data"}},
            "spec": {{
                "access_modes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "2Gi"}}}},
            }},
        }}],
    }},
    opts=options(),
)
"""


@pytest.fixture(scope="module")
def store(standing: Standing) -> StackBench:
    """A stack with two pods, in two zones, that have a volume each. The teardown finds it standing."""
    bench = standing.open_stack()
    bench.program(PROGRAM)
    bench.must_up()
    return bench


@pytest.mark.mission_M39
def test_each_pod_has_a_volume_of_ebs_in_the_zone_of_its_node(standing: Standing, store: StackBench) -> None:
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"][ZONE] for node in standing.read("nodes")["items"]
    }
    pods = standing.read("pods", "-n", store.stack, "-l", "app=store")["items"]
    found = [_volume_of(standing, store, pod) for pod in pods]

    assert len({zones[pod["spec"]["nodeName"]] for pod in pods}) == 2
    for pod, (bound, volume) in zip(pods, found, strict=True):
        zone = zones[pod["spec"]["nodeName"]]
        assert volume["AvailabilityZone"] == zone
        assert zone in json.dumps(bound["spec"]["nodeAffinity"])
        assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (2, "gp3", True)
        assert [each["State"] for each in volume["Attachments"]] == ["attached"]
        tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
        assert tags["Project"] == "shop", "whoever pays for it can be told"


def _volume_of(standing: Standing, store: StackBench, pod: Any) -> tuple[Any, Any]:
    claim = standing.read("pvc", f"data-{pod['metadata']['name']}", "-n", store.stack)
    bound = standing.read("pv", claim["spec"]["volumeName"])
    [volume] = store.client("ec2").describe_volumes(VolumeIds=[bound["spec"]["csi"]["volumeHandle"]])[
        "Volumes"
    ]
    return bound, volume


@pytest.mark.mission_M71
@pytest.mark.usefixtures("store")
def test_teardown_of_the_stack_leaves_nothing_of_the_cluster(standing: Standing) -> None:
    bench = standing.bench
    [cluster] = running_clusters(bench.layout)
    assert {"volume", "instance", "security-group"} <= {item["type"] for item in bench.inventory()}

    done = bench.operations("teardown", "--yes", "--json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outcome = json.loads(done.stdout)
    retained = json.dumps(outcome["retained"])
    assert outcome["leftovers"] == {}
    assert [item for item in bench.inventory() if item["id"] not in retained] == []
    standing_still = [item for item in bench.inventory() if item["state"] is None]
    assert {item["type"] for item in standing_still} <= {"snapshot"}, "of the volumes, which held data"
    assert bench.state().custom() == []
    assert running_clusters(bench.layout) == ()
    assert [pid for name, pid in cluster.processes.items() if is_alive(pid, running=name)] == []
    assert not Path(cluster.kubeconfig).exists()
