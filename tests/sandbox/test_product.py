"""The production stack, whole: up, unchanged, audited, protected, taken down.

It comes up once for all tests of the group `product`; the last of this file takes it down.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml
from cloudcommerce_sandbox.clusters import running_clusters

from tests.sandbox.processes import working_in
from tests.sandbox.workbench import CHECKOUT, Workbench

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.mission_M70]

APPLICATIONS = ("order", "product", "user")
KEPT = (
    "namespaces,resourcequotas,limitranges,networkpolicies,storageclasses,"
    "roles,rolebindings,clusterroles,clusterrolebindings"
)
"""Kinds of objects that the stack makes, and that nothing else in the cluster writes to."""

Kubectl = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def proofs(product: Workbench) -> list[dict[str, Any]]:
    """What `operations audit` proved, claim by claim."""
    done = product.operations("audit", "--json")
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["proofs"]
    return found


@pytest.fixture(scope="module")
def kubectl(
    product: Workbench, product_outputs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Kubectl:
    """What `kubectl get` finds in the platform's role."""
    kubeconfig = tmp_path_factory.mktemp("platform") / "kubeconfig"
    kubeconfig.write_text(json.dumps(product_outputs["kubeconfigs"]["platform"]))
    executable = product.layout.tools / "kubectl"

    def get(*arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(executable) if executable.is_file() else "kubectl", "get", *arguments, "-o", "json"],
            env={**product.session.engine.environment, "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        return found

    return get


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """What the tracked stack file says of the cluster."""
    config = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    found: dict[str, Any] = config["cloudcommerce:cluster"]
    return found


@pytest.mark.mission_M71
def test_production_comes_up_and_leaves_tracked_files_alone(
    product: Workbench, first_up: "subprocess.CompletedProcess[str]"
) -> None:
    assert "make down" in first_up.stdout
    assert "operations teardown" in first_up.stdout
    assert len(product.state().custom()) > 150
    assert product.orphans() == []
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        assert (product.layout.checkout / name).read_bytes() == (CHECKOUT / name).read_bytes()


@pytest.mark.mission_M39
def test_nodes_are_those_of_the_settings(kubectl: Kubectl, settings: dict[str, Any]) -> None:
    nodes = kubectl("nodes")

    assert all(_condition(node, "Ready") == "True" for node in nodes)
    for name, capacity in (("main", "ON_DEMAND"), ("spot", "SPOT")):
        wanted = settings["nodeGroups"][name]
        group = [node for node in nodes if _labels(node)["cloudcommerce.io/node-group"] == name]
        zones = Counter(_labels(node)["topology.kubernetes.io/zone"] for node in group)
        assert len(group) == wanted["minSize"]
        assert {_labels(node)["eks.amazonaws.com/capacityType"] for node in group} == {capacity}
        assert {_labels(node)["node.kubernetes.io/instance-type"] for node in group} <= {
            *wanted["instanceTypes"]
        }
        assert max(zones.values()) == 1, f"{name} over {zones}"
        taints = [taint["key"] for node in group for taint in node["spec"].get("taints", [])]
        assert set(taints) == ({"cloudcommerce.io/spot"} if capacity == "SPOT" else set())


@pytest.mark.mission_M21
def test_addons_are_active_and_all_their_pods_run(product: Workbench, kubectl: Kubectl) -> None:
    eks = product.client("eks")
    [cluster] = eks.list_clusters()["clusters"]
    addons = {
        name: eks.describe_addon(clusterName=cluster, addonName=name)["addon"]["status"]
        for name in eks.list_addons(clusterName=cluster)["addons"]
    }
    nodes, pods = kubectl("nodes"), kubectl("pods", "-A")

    assert addons == dict.fromkeys(
        (
            "aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "snapshot-controller",
            "vpc-cni",
        ),
        "ACTIVE",
    )  # fmt: skip
    assert [pod["metadata"]["name"] for pod in pods if _condition(pod, "Ready") != "True"] == []
    on_each = Counter(pod["metadata"]["labels"].get("k8s-app") for pod in pods)
    assert on_each["aws-node"] == on_each["kube-proxy"] == len(nodes)
    [dns] = kubectl("deployments", "-n", "kube-system", "-l", "k8s-app=kube-dns")
    assert dns["status"]["readyReplicas"] == 2
    assert [each["metadata"]["name"] for each in kubectl("storageclasses") if _is_default(each)] != []


@pytest.mark.mission_M35
def test_namespaces_have_their_guard_rails(kubectl: Kubectl, settings: dict[str, Any]) -> None:
    namespaces = {each["metadata"]["name"]: _labels(each) for each in kubectl("namespaces")}
    quotas = kubectl("resourcequotas", "-A")
    limits = kubectl("limitranges", "-A")
    policies = kubectl("networkpolicies", "-A")

    for application in APPLICATIONS:
        labels = namespaces[application]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == f"v{settings['version']}"
        [quota] = _in(application, quotas)
        assert quota["status"]["hard"] == quota["spec"]["hard"], "the cluster counts by it"
        assert int(quota["spec"]["hard"]["pods"]) > 0
        assert quota["spec"]["hard"]["services.loadbalancers"] == "0"
        [limit] = _in(application, limits)
        assert {"default", "defaultRequest", "max"} <= set(limit["spec"]["limits"][0])
        specs = [policy["spec"] for policy in _in(application, policies)]
        assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in specs, "all is refused by default"
        opened = [spec for spec in specs if spec.get("ingress") or spec.get("egress")]
        assert [rule["ports"][0]["port"] for spec in opened for rule in spec["egress"]] == [53]


def test_second_up_changes_nothing_and_says_so(product: Workbench, kubectl: Kubectl) -> None:
    before, objects = product.inventory(), _versions(kubectl)

    done = product.command("up")

    assert done.returncode == 0, done.stdout
    assert "Nothing to change" in done.stdout
    assert product.inventory() == before
    assert _versions(kubectl) == objects


@pytest.mark.mission_M72
def test_audit_document_validates(product: Workbench) -> None:
    printed = product.session.engine.capture("stack", "output", "audit", "--json", "--stack", "prod")
    schema = json.loads((CHECKOUT / "infra" / "audit" / "schema.json").read_text())

    document = json.loads(printed.stdout)

    jsonschema.validate(document, schema)
    assert document["components"]


@pytest.mark.mission_M20
@pytest.mark.mission_M22
@pytest.mark.mission_M23
@pytest.mark.mission_M24
@pytest.mark.mission_M25
@pytest.mark.mission_M27
@pytest.mark.mission_M50
@pytest.mark.mission_M72
def test_every_claim_holds_in_aws(proofs: list[dict[str, Any]]) -> None:
    assert len(proofs) > 50
    assert [proof for proof in proofs if not proof["passed"]] == []


def test_plain_destroy_is_refused_and_changes_nothing(product: Workbench) -> None:
    before = product.inventory()

    done = product.session.engine.capture("destroy", "--yes", "--stack", "prod")

    assert done.returncode != 0
    assert "protect" in done.stdout + done.stderr
    assert product.inventory() == before


def test_teardown_leaves_only_what_is_declared(product: Workbench) -> None:
    done = product.operations("teardown", "--yes", "--json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outcome = json.loads(done.stdout)
    retained = json.dumps(outcome["retained"])
    left = product.inventory()
    assert outcome["leftovers"] == {}
    assert [item for item in left if item["id"] not in retained] == []
    assert {item["type"] for item in left if item["state"] is None} <= {"snapshot", "cluster-snapshot"}
    assert product.state().custom() == []
    assert product.client("eks").list_clusters()["clusters"] == []
    assert running_clusters(product.layout) == ()
    assert working_in(product.layout.kubernetes / "clusters") == {}


def _labels(item: dict[str, Any]) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


def _condition(item: dict[str, Any], name: str) -> str:
    found: dict[str, str] = {each["type"]: each["status"] for each in item["status"].get("conditions", [])}
    return found.get(name, "")


def _in(namespace: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item["metadata"]["namespace"] == namespace]


def _is_default(storage_class: dict[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


def _versions(kubectl: Kubectl) -> dict[str, str]:
    """Which version of each object stands: every write makes a new one."""
    return {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in kubectl(KEPT, "-A")}
