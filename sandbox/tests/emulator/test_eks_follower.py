"""Life cycles with somebody who follows the emulator's EKS, played by the test."""

import json
import threading
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudcommerce_sandbox.kubernetes.model import Document

from sandbox.tests.emulator.conftest import RunningEmulator, start
from sandbox.tests.emulator.kubernetes import NODE_CONFIG, Account, multipart
from sandbox.tests.emulator.network import make_network, unique

pytestmark = [pytest.mark.mission_M21, pytest.mark.mission_M39]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    process, running = start(tmp_path_factory.mktemp("followed"), "--kubernetes")
    yield running
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture(scope="module")
def account(emulator: RunningEmulator) -> Account:
    return Account(emulator, make_network(emulator))


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def status(account: Account, cluster: str) -> str:
    return str(account.eks.describe_cluster(name=cluster)["cluster"]["status"])


def active(account: Account) -> str:
    cluster = account.cluster()
    account.activate(cluster)
    return cluster


def answer(emulator: RunningEmulator, method: str, path: str, document: Any = None) -> int:
    try:
        emulator.api(method, f"kubernetes/{path}", document)
    except urllib.error.HTTPError as error:
        return error.code if json.load(error)["error"] else 0
    return 200


def test_a_cluster_lives_as_long_as_its_processes(account: Account, emulator: RunningEmulator) -> None:
    cluster = account.cluster()
    assert status(account, cluster) == "CREATING"
    assert "endpoint" not in account.eks.describe_cluster(name=cluster)["cluster"]
    assert (
        refused(account.eks.create_addon, clusterName=cluster, addonName="vpc-cni")
        == "InvalidRequestException"
    )
    early = account.nodegroup_arguments(cluster)
    assert refused(account.eks.create_nodegroup, **early) == "InvalidRequestException"
    account.activate(cluster)
    read = account.eks.describe_cluster(name=cluster)["cluster"]
    assert (read["status"], read["endpoint"]) == ("ACTIVE", "https://127.0.0.1:6443")
    assert read["certificateAuthority"]["data"] == "Y2E="
    assert answer(emulator, "DELETE", f"clusters/{cluster}?region=us-east-1") == 400
    account.eks.delete_cluster(name=cluster)
    assert status(account, cluster) == "DELETING"
    account.activate(cluster)  # a report that was on its way
    assert status(account, cluster) == "DELETING"
    taken = account.cluster_arguments(name=cluster)
    assert refused(account.eks.create_cluster, **taken) == "ResourceInUseException"
    assert answer(emulator, "DELETE", f"clusters/{cluster}?region=us-east-1") == 200
    assert refused(account.eks.describe_cluster, name=cluster) == "ResourceNotFoundException"
    account.eks.create_cluster(**taken)


def test_a_cluster_is_deleted_while_it_is_created(account: Account, emulator: RunningEmulator) -> None:
    before = emulator.inventory()
    cluster = account.cluster()
    account.eks.delete_cluster(name=cluster)
    assert account.document(cluster)["status"] == "DELETING"
    emulator.api("DELETE", f"kubernetes/clusters/{cluster}?region=us-east-1")
    assert emulator.inventory() == before


def test_an_answer_that_is_lost_makes_one_cluster(account: Account, emulator: RunningEmulator) -> None:
    retrying = emulator.client("eks", attempts=3)
    fault = {"service": "eks", "operation": "CreateCluster", "kind": "lost-response", "times": 1}
    emulator.api("POST", "faults", fault)
    arguments = account.cluster_arguments()
    assert retrying.create_cluster(**arguments)["cluster"]["status"] == "CREATING"
    assert [c["name"] for c in emulator.api("GET", "kubernetes")["clusters"]].count(arguments["name"]) == 1


def test_a_creation_that_races_with_a_deletion(account: Account, emulator: RunningEmulator) -> None:
    name = unique("race")

    def attempt(call: Any, **arguments: Any) -> str:
        try:
            call(**arguments)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    account.cluster(name=name)
    with ThreadPoolExecutor(8) as pool:
        creations = [
            pool.submit(attempt, account.eks.create_cluster, **account.cluster_arguments(name=name))
            for _ in range(4)
        ]
        deletions = [pool.submit(attempt, account.eks.delete_cluster, name=name) for _ in range(4)]
    assert {creation.result() for creation in creations} == {"ResourceInUseException"}
    assert {deletion.result() for deletion in deletions} == {"done"}
    assert status(account, name) == "DELETING"
    emulator.api("DELETE", f"kubernetes/clusters/{name}?region=us-east-1")
    mine = [{"Name": "description", "Values": [f"Amazon EKS {name}"]}]
    assert not account.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]


def test_a_control_plane_that_fails(account: Account) -> None:
    cluster = account.cluster()
    account.report(cluster, status="FAILED", message="etcd ended")
    read = account.eks.describe_cluster(name=cluster)["cluster"]
    assert read["status"] == "FAILED"
    assert read["health"]["issues"][0]["message"] == "etcd ended"


def test_an_upgrade_waits_for_the_control_plane(account: Account) -> None:
    cluster = account.cluster(version="1.34")
    account.activate(cluster)
    update = account.eks.update_cluster_version(name=cluster, version="1.35")["update"]
    place = {"name": cluster, "updateId": update["id"]}
    assert (status(account, cluster), account.document(cluster)["version"]) == ("UPDATING", "1.34")
    assert account.eks.describe_update(**place)["update"]["status"] == "InProgress"
    again = {"name": cluster, "version": "1.35"}
    assert refused(account.eks.update_cluster_version, **again) == "ResourceInUseException"
    account.activate(cluster)
    assert account.eks.describe_update(**place)["update"]["status"] == "Successful"
    assert (status(account, cluster), account.document(cluster)["version"]) == ("ACTIVE", "1.35")


def test_an_upgrade_that_fails_leaves_the_version(account: Account) -> None:
    cluster = account.cluster(version="1.34")
    account.activate(cluster)
    update = account.eks.update_cluster_version(name=cluster, version="1.35")["update"]
    account.report(cluster, status="FAILED", message="etcd ended")
    place = {"name": cluster, "updateId": update["id"]}
    assert account.eks.describe_update(**place)["update"]["status"] == "Failed"
    assert (status(account, cluster), account.document(cluster)["version"]) == ("ACTIVE", "1.34")
    account.eks.update_cluster_version(name=cluster, version="1.35")


def test_a_node_group_waits_for_its_nodes(account: Account) -> None:
    cluster = active(account)
    name = account.nodegroup(cluster)
    instances = sorted(account.instance_ids(cluster, name))
    account.report(f"{cluster}/nodegroups/{name}", ready=instances[:-1])
    assert account.describe_nodegroup(cluster, name)["status"] == "CREATING"
    account.report_all_ready(cluster, name)
    assert account.describe_nodegroup(cluster, name)["status"] == "ACTIVE"
    update = account.eks.update_nodegroup_config(
        clusterName=cluster, nodegroupName=name, scalingConfig={"desiredSize": 4}
    )["update"]
    place = {"name": cluster, "nodegroupName": name, "updateId": update["id"]}
    assert account.describe_nodegroup(cluster, name)["status"] == "UPDATING"
    assert account.eks.describe_update(**place)["update"]["status"] == "InProgress"
    early = {"clusterName": cluster, "nodegroupName": name, "labels": {"addOrUpdateLabels": {"a": "b"}}}
    assert refused(account.eks.update_nodegroup_config, **early) == "ResourceInUseException"
    account.report_all_ready(cluster, name)
    assert account.eks.describe_update(**place)["update"]["status"] == "Successful"
    shrunk = {"clusterName": cluster, "nodegroupName": name, "scalingConfig": {"desiredSize": 2}}
    account.eks.update_nodegroup_config(**shrunk)
    assert account.describe_nodegroup(cluster, name)["status"] == "ACTIVE"
    issue = {"code": "NodeCreationFailure", "message": "no", "resourceIds": instances[:1]}
    account.report(f"{cluster}/nodegroups/{name}", ready=[], issues=[issue])
    read = account.describe_nodegroup(cluster, name)
    assert (read["status"], read["health"]["issues"]) == ("DEGRADED", [issue])
    account.report_all_ready(cluster, name)
    assert account.describe_nodegroup(cluster, name)["status"] == "ACTIVE"


def test_old_nodes_stay_until_the_new_ones_are_ready(account: Account) -> None:
    cluster = active(account)
    template = account.template(UserData=multipart(NODE_CONFIG))
    name = account.nodegroup(cluster, launchTemplate={"id": template})
    old = account.instance_ids(cluster, name)
    account.report_all_ready(cluster, name)
    update = account.eks.update_nodegroup_version(clusterName=cluster, nodegroupName=name)["update"]
    assert old < account.instance_ids(cluster, name)
    assert len(account.instance_ids(cluster, name)) == 6
    account.report(f"{cluster}/nodegroups/{name}", ready=sorted(old))
    assert old < account.instance_ids(cluster, name)
    account.report_all_ready(cluster, name)
    assert not old & account.instance_ids(cluster, name)
    place = {"name": cluster, "nodegroupName": name, "updateId": update["id"]}
    assert account.eks.describe_update(**place)["update"]["status"] == "Successful"
    assert account.describe_nodegroup(cluster, name)["status"] == "ACTIVE"


def test_a_node_group_goes_when_its_nodes_have(account: Account) -> None:
    cluster = active(account)
    name = account.nodegroup(cluster)
    account.eks.delete_nodegroup(clusterName=cluster, nodegroupName=name)
    assert account.describe_nodegroup(cluster, name)["status"] == "DELETING"
    assert account.instance_ids(cluster, name) == set()
    assert refused(account.eks.delete_cluster, name=cluster) == "ResourceInUseException"
    account.report(f"{cluster}/nodegroups/{name}", ready=[])
    assert account.describe_nodegroup(cluster, name)["status"] == "DELETING"
    account.report(f"{cluster}/nodegroups/{name}", ready=[], gone=True)
    gone = {"clusterName": cluster, "nodegroupName": name}
    assert refused(account.eks.describe_nodegroup, **gone) == "ResourceNotFoundException"
    account.eks.delete_cluster(name=cluster)


def test_a_group_without_nodes_waits_for_nobody(account: Account) -> None:
    cluster = active(account)
    name = account.nodegroup(cluster, scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0})
    assert account.describe_nodegroup(cluster, name)["status"] == "ACTIVE"


def test_an_addon_lives_as_long_as_what_it_made(account: Account) -> None:
    cluster = active(account)
    place = {"clusterName": cluster, "addonName": "coredns"}

    def addon_status() -> str:
        return str(account.eks.describe_addon(**place)["addon"]["status"])

    account.eks.create_addon(**place)
    assert addon_status() == "CREATING"
    issue = {"code": "InsufficientNumberOfReplicas", "message": "no nodes", "resourceIds": ["coredns"]}
    account.report(f"{cluster}/addons/coredns", status="DEGRADED", issues=[issue])
    assert addon_status() == "DEGRADED"
    account.report(f"{cluster}/addons/coredns", status="ACTIVE", issues=[])
    assert addon_status() == "ACTIVE"
    update = account.eks.update_addon(**place, configurationValues='{"replicaCount": 3}')["update"]
    assert addon_status() == "UPDATING"
    account.report(f"{cluster}/addons/coredns", status="ACTIVE")
    described = account.eks.describe_update(name=cluster, addonName="coredns", updateId=update["id"])[
        "update"
    ]
    assert (addon_status(), described["status"]) == ("ACTIVE", "Successful")
    account.report(f"{cluster}/addons/coredns", status="GONE")  # nobody has deleted it
    assert addon_status() == "ACTIVE"
    account.eks.delete_addon(**place)
    assert addon_status() == "DELETING"
    account.report(f"{cluster}/addons/coredns", status="GONE")
    assert refused(account.eks.describe_addon, **place) == "ResourceNotFoundException"
    account.eks.create_addon(**place)
    account.eks.delete_addon(**place, preserve=True)
    assert refused(account.eks.describe_addon, **place) == "ResourceNotFoundException"


def test_the_document_is_one_that_the_follower_reads(account: Account, emulator: RunningEmulator) -> None:
    cluster = active(account)
    account.nodegroup(cluster, taints=[{"key": "a", "effect": "NO_EXECUTE"}])
    account.eks.create_addon(clusterName=cluster, addonName="vpc-cni")
    local = {"version": "1.35", "nodes": [{"name": "n", "vcpus": 2, "memoryMiB": 4096}]}
    emulator.api("PUT", "kubernetes/local/kind-x", local)
    document = Document.parse(emulator.api("GET", "kubernetes"))
    spec = next(spec for spec in document.clusters if spec.name == cluster)
    assert len(spec.nodegroups[0].instances) == 3
    assert document.incarnation == emulator.incarnation
    emulator.api("DELETE", "kubernetes/local/kind-x")


def test_a_waiting_follower_is_told_at_once_and_blocks_nobody(
    account: Account, emulator: RunningEmulator
) -> None:
    generation = emulator.api("GET", "kubernetes")["generation"]
    told: list[tuple[float, dict[str, Any]]] = []

    def wait() -> None:
        document = emulator.api("GET", f"kubernetes?after={generation}&wait=9")
        told.append((time.monotonic(), document))

    waiting = [threading.Thread(target=wait) for _ in range(10)]
    for thread in waiting:
        thread.start()
    time.sleep(0.3)
    assert not told
    cluster = account.cluster()
    created = time.monotonic()
    for thread in waiting:
        thread.join(10)
    assert len(told) == 10
    assert max(moment for moment, _ in told) < created + 2
    assert all(cluster in {c["name"] for c in document["clusters"]} for _, document in told)


def test_reads_and_other_services_change_no_generation(account: Account, emulator: RunningEmulator) -> None:
    cluster = active(account)
    account.nodegroup(cluster)
    generation = emulator.api("GET", "kubernetes")["generation"]
    account.eks.describe_cluster(name=cluster)
    account.ec2.create_vpc(CidrBlock="10.9.0.0/16")
    emulator.client("sqs").create_queue(QueueName=unique("q"))
    started = time.monotonic()
    assert emulator.api("GET", f"kubernetes?after={generation}&wait=0.2")["generation"] == generation
    assert 0.15 < time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("method", "path", "document", "code"),
    [
        ("GET", "?after=soon", None, 400),
        ("GET", "?wait=nan", None, 400),
        ("GET", "?wait=soon", None, 400),
        ("POST", "clusters/absent", {"status": "ACTIVE"}, 404),
        ("POST", "clusters/absent/nodegroups/x", {"ready": []}, 404),
        ("DELETE", "clusters/absent", None, 404),
        ("PATCH", "clusters/absent", {}, 404),
        ("POST", "local/absent", {"status": "ACTIVE"}, 404),
        ("PUT", "local/x", [], 400),
        ("POST", "nonsense", {}, 404),
    ],
)
def test_requests_that_make_no_sense(
    emulator: RunningEmulator, method: str, path: str, document: Any, code: int
) -> None:
    assert answer(emulator, method, path, document) == code


def test_reports_that_make_no_sense(account: Account, emulator: RunningEmulator) -> None:
    cluster = active(account)
    name = account.nodegroup(cluster)
    account.eks.create_addon(clusterName=cluster, addonName="vpc-cni")
    reports: list[tuple[str, Any, int]] = [
        (f"clusters/{cluster}", {"status": "FINE"}, 400),
        (f"clusters/{cluster}", [], 400),
        (f"clusters/{cluster}", {"status": "ACTIVE", "endpoint": 7}, 400),
        (f"clusters/{cluster}/nodegroups/absent", {"ready": []}, 404),
        (f"clusters/{cluster}/nodegroups/{name}", {"ready": "all"}, 400),
        (f"clusters/{cluster}/addons/absent", {"status": "ACTIVE"}, 404),
        (f"clusters/{cluster}/addons/vpc-cni", {"status": "FINE"}, 400),
        (f"clusters/{cluster}", {"status": "ACTIVE", "region": "us-west-2"}, 404),
    ]
    for path, document, code in reports:
        assert answer(emulator, "POST", path, document) == code, (path, document)
    assert account.describe_nodegroup(cluster, name)["status"] == "CREATING"


def test_a_cluster_without_eks(emulator: RunningEmulator) -> None:
    name = unique("kind")
    emulator.api("PUT", f"kubernetes/local/{name}", {"version": "1.35", "nodes": []})

    def shown() -> list[dict[str, Any]]:
        return [c for c in emulator.api("GET", "kubernetes")["local"] if c["name"] == name]

    assert shown()[0]["status"] == "CREATING"
    emulator.api("POST", f"kubernetes/local/{name}", {"status": "ACTIVE", "endpoint": "https://127.0.0.1:1"})
    assert (shown()[0]["status"], shown()[0]["endpoint"]) == ("ACTIVE", "https://127.0.0.1:1")
    emulator.api("PUT", f"kubernetes/local/{name}", {"version": "1.35", "nodes": [{"name": "a"}]})
    assert (shown()[0]["status"], len(shown()[0]["nodes"])) == ("ACTIVE", 1)
    emulator.api("DELETE", f"kubernetes/local/{name}")
    assert shown() == []
