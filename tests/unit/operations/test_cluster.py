"""What is asked of a stack's clusters: which they are, what is in them, and what is cleared out of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from operations.clients import Clients
from operations.cluster.api import ClusterUnreachableError, KubernetesApi, ObjectKey
from operations.cluster.connection import Clusters
from operations.cluster.diagnosis import diagnose_object
from operations.errors import OperationError
from operations.interaction import Interaction
from operations.plan import UNKNOWN
from operations.proofs.contract import Claim
from operations.proofs.judge import prove
from operations.recovery.recover import Recovery, recover
from operations.recovery.verdict import Finding, Verdict
from operations.removal.drain import claims, drain
from operations.removal.teardown import DELETE_UNREACHABLE, Teardown, show, tear_down
from operations.state import Deployment, Resource
from tests.unit.operations.kubernetes_server import KubernetesServer, kubernetes_record, serve
from tests.unit.operations.stack_on_disk import FakePulumi, fake, record, state

NAMESPACE, POLICY = "kubernetes:core/v1:Namespace", "kubernetes:networking.k8s.io/v1:NetworkPolicy"
RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.fixture
def server() -> Iterator[KubernetesServer]:
    """An empty cluster."""
    with serve() as running:
        yield running


def clusters_of(server: KubernetesServer, *records: dict[str, Any]) -> Clusters:
    deployment = state(server.provider(), *records)
    return Clusters(deployment, lambda: deployment)


def api_of(server: KubernetesServer) -> KubernetesApi:
    (api,) = clusters_of(server).all()
    return api


def diagnosed(server: KubernetesServer, lost: dict[str, Any]) -> Finding:
    return diagnose_object(Resource(lost), clusters_of(server))


def namespace(name: str = "shop") -> dict[str, Any]:
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return kubernetes_record(NAMESPACE, "tenant", inputs=inputs)


@pytest.mark.mission_M71
def test_an_object_is_found_by_its_kind_namespace_and_name(server: KubernetesServer) -> None:
    server.add("Namespace", "shop")
    server.add("NetworkPolicy", "default-deny", "shop")
    policy = kubernetes_record(
        POLICY,
        "deny",
        inputs={
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": "shop"},
        },
    )
    assert diagnosed(server, namespace()).id == "shop"
    assert diagnosed(server, policy).id == "shop/default-deny"
    assert diagnosed(server, policy).verdict is Verdict.ADOPT
    assert diagnosed(server, namespace("other")).verdict is Verdict.ABSENT


@pytest.mark.mission_M71
@pytest.mark.parametrize(
    ("metadata", "verdict", "said"),
    [
        ({"managedFields": [{"manager": "kubectl-create"}]}, Verdict.ABSENT, "is not Pulumi's"),
        ({"managedFields": [], "labels": {"app.kubernetes.io/managed-by": "pulumi"}}, Verdict.ADOPT, "found"),
        ({"deletionTimestamp": "now"}, Verdict.GOING, "being deleted"),
    ],
)
def test_what_somebody_else_made_is_not_adopted(
    server: KubernetesServer, metadata: dict[str, Any], verdict: Verdict, said: str
) -> None:
    server.add("Namespace", "shop", metadata=metadata)
    finding = diagnosed(server, namespace())
    assert finding.verdict is verdict
    assert said in finding.reason


@pytest.mark.mission_M71
@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [
        ({"metadata": {"name": UNKNOWN}}, Verdict.ABSENT),
        ({"metadata": {}}, Verdict.UNDECIDED),
        (
            {"metadata": {"name": "x", "namespace": {"ciphertext": "?"}}},
            Verdict.UNDECIDED,
        ),
        ({"metadata": "hostile"}, Verdict.UNDECIDED),
        ({}, Verdict.UNDECIDED),
        ({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x"}}, Verdict.ABSENT),
    ],
)
def test_a_record_that_names_no_object_is_never_guessed_at(
    server: KubernetesServer, inputs: dict[str, Any], verdict: Verdict
) -> None:
    lost = kubernetes_record("kubernetes:core/v1:ConfigMap", "settings", inputs=inputs)
    assert diagnosed(server, lost).verdict is verdict


@pytest.mark.mission_M71
def test_a_patch_is_repeated_and_an_object_without_a_provider_cannot_exist(server: KubernetesServer) -> None:
    patch = kubernetes_record("kubernetes:apps/v1:DaemonSetPatch", "cni", inputs={})
    assert diagnosed(server, patch).verdict is Verdict.REPEATABLE
    stray = {**namespace(), "provider": "urn:pulumi:prod::shop::pulumi:providers:kubernetes::gone::1"}
    assert diagnosed(server, stray).verdict is Verdict.ABSENT


@pytest.mark.mission_M71
@pytest.mark.parametrize(
    ("statuses", "verdict", "said"),
    [
        ([], Verdict.ABSENT, "no such release"),
        (["deployed"], Verdict.ADOPT, "found"),
        (["superseded", "deployed"], Verdict.ADOPT, "found"),
        (["pending-install"], Verdict.UNDECIDED, "helm uninstall mesh --namespace istio"),
        (["deployed", "failed"], Verdict.UNDECIDED, "is failed"),
    ],
)
def test_the_newest_revision_says_where_a_release_is(
    server: KubernetesServer, statuses: list[str], verdict: Verdict, said: str
) -> None:
    for number, status in enumerate(statuses, 1):
        labels = {"owner": "helm", "name": "mesh", "status": status, "version": str(number)}
        server.add("Secret", f"sh.helm.release.v1.mesh.v{number}", "istio", metadata={"labels": labels})
    lost = kubernetes_record(RELEASE, "mesh", inputs={"name": "mesh", "namespace": "istio"})
    finding = diagnosed(server, lost)
    assert finding.verdict is verdict
    assert said in finding.reason


@pytest.mark.mission_M71
def test_a_cluster_that_does_not_answer_decides_nothing(server: KubernetesServer) -> None:
    server.refusal = 503
    finding = diagnosed(server, namespace())
    assert finding.verdict is Verdict.UNDECIDED
    assert "503" in finding.reason
    assert "--forget" in finding.reason


@pytest.mark.mission_M71
def test_a_pending_creation_is_adopted_into_the_state(
    aws: Clients, server: KubernetesServer, tmp_path: Path
) -> None:
    server.add("Namespace", "shop")
    lost = namespace()
    pulumi = fake(state(server.provider(), pending=[("creating", lost)]), tmp_path)
    work = Recovery(
        pulumi=pulumi, clients=aws, interaction=Interaction(as_json=True), kinds=(), patience=0, pause=0
    )
    report = recover(work, pulumi.export_state())
    assert report.adopted == {lost["urn"]: "shop"}
    after = pulumi.export_state()
    assert (after.resources[-1].id, after.pending) == ("shop", ())


def test_a_secret_kubeconfig_is_revealed_and_a_broken_one_named(server: KubernetesServer) -> None:
    plain = server.provider()["inputs"]["kubeconfig"]
    hidden = state(server.provider(kubeconfig={"4dab": "1b47", "ciphertext": "v1:x"}))
    shown = state(server.provider(kubeconfig={"4dab": "1b47", "plaintext": json.dumps(plain)}))
    (api,) = Clusters(hidden, lambda: shown).all()
    assert api.version() == "v1.35.4"
    broken = state(server.provider(kubeconfig='{"clusters": []}'))
    with pytest.raises(ClusterUnreachableError, match="provider main leads to no cluster"):
        list(Clusters(broken, lambda: broken).all())


def test_two_providers_of_one_cluster_are_one_cluster(server: KubernetesServer) -> None:
    second = {**server.provider(), "urn": f"{server.provider()['urn']}-2"}
    assert len(list(clusters_of(server, second).all())) == 1


def test_every_page_is_read_and_an_unknown_kind_has_no_objects(server: KubernetesServer) -> None:
    for name in "abc":
        server.add("Pod", name, "shop")
    api = api_of(server)
    assert [each["metadata"]["name"] for each in api.objects("v1", "Pod")] == ["a", "b", "c"]
    assert list(api.objects("gateway.networking.k8s.io/v1", "Gateway")) == []
    assert api.get(ObjectKey("v1", "Pod", "nobody", "shop")) is None


def stateful(server: KubernetesServer, policy: str = "Delete") -> None:
    """A StatefulSet whose pod mounts a claim with a volume."""
    owner = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}]
    server.add("StatefulSet", "db", "shop")
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}, {"name": "tmp"}]
    server.add("Pod", "db-0", "shop", metadata={"ownerReferences": owner}, spec={"volumes": volumes})
    asked = {"resources": {"requests": {"storage": "8Gi"}}, "volumeName": "pv-1"}
    server.add("PersistentVolumeClaim", "data-db-0", "shop", spec=asked)
    bound = {
        "persistentVolumeReclaimPolicy": policy,
        "claimRef": {"name": "data-db-0"},
        "csi": {"volumeHandle": "vol-1"},
    }
    server.add("PersistentVolume", "pv-1", spec=bound)


@pytest.mark.mission_M70
def test_what_would_outlive_the_cluster_is_removed_while_controllers_run(server: KubernetesServer) -> None:
    stateful(server)
    server.add("Pod", "web", "shop")
    server.add("Service", "entrance", "shop", spec={"type": "LoadBalancer"})
    server.add("Service", "inside", "shop", spec={"type": "ClusterIP"})
    server.add("Ingress", "site", "shop")
    notes: list[str] = []
    assert drain(api_of(server), notes.append, patience=10, pause=0) == ()
    assert server.named("Service") == ["inside"]
    assert server.named("Pod") == ["web"], "what mounts no claim is left to the engine"
    for kind in ("Ingress", "StatefulSet", "PersistentVolumeClaim", "PersistentVolume"):
        assert server.named(kind) == [], kind
    assert len(notes) == len(set(notes)) == 4


@pytest.mark.mission_M70
def test_a_retained_volume_is_shown_as_kept_and_not_waited_for(server: KubernetesServer) -> None:
    stateful(server, policy="Retain")
    (claimed,) = claims(api_of(server))
    assert (claimed.id, claimed.volume, claimed.size, claimed.goes) == (
        "shop/data-db-0",
        "vol-1",
        "8Gi",
        False,
    )
    assert drain(api_of(server), lambda _: None, patience=10, pause=0) == ()
    assert server.named("PersistentVolume") == ["pv-1"]


@pytest.mark.mission_M70
def test_what_does_not_go_in_time_is_named(server: KubernetesServer) -> None:
    server.stubborn = True
    server.add("Service", "entrance", "shop", spec={"type": "LoadBalancer"})
    assert drain(api_of(server), lambda _: None, patience=0, pause=0) == ("Service shop/entrance",)


def torn_down(aws: Clients, pulumi: FakePulumi) -> Any:
    (Path(pulumi.directory) / "Pulumi.yaml").write_text("name: shop\n")
    deployment = pulumi.export_state()
    work = Teardown(
        pulumi=pulumi,
        clients=aws,
        interaction=Interaction(as_json=True, yes=True),
        clusters=Clusters(deployment, lambda: deployment),
        kinds=(),
    )
    return tear_down(work, deployment)


def emptied(pulumi: FakePulumi) -> None:
    pulumi.memory["state"] = '{"version": 3, "deployment": {}}'


def made_by_the_stack(server: KubernetesServer) -> dict[str, Any]:
    """The record of the EKS cluster behind a server."""
    outputs = {"name": "main", "endpoint": server.url.upper() + "/"}
    return record("aws:eks/cluster:Cluster", "cluster", "main", outputs=outputs)


@pytest.mark.mission_M70
def test_a_teardown_clears_the_cluster_before_the_engine_deletes_it(
    aws: Clients, server: KubernetesServer, tmp_path: Path
) -> None:
    stateful(server)
    known = made_by_the_stack(server)

    def destroy(pulumi: FakePulumi) -> None:
        assert server.named("PersistentVolume") == []
        emptied(pulumi)

    pulumi = fake(state(server.provider(), known), tmp_path, destroy=destroy)
    assert torn_down(aws, pulumi).leftovers == {}


@pytest.mark.mission_M40
def test_a_teardown_leaves_what_others_have_in_a_cluster_that_is_not_the_stacks(
    aws: Clients, server: KubernetesServer, tmp_path: Path
) -> None:
    stateful(server)
    server.add("Service", "entrance", "neighbor", spec={"type": "LoadBalancer"})
    server.add("PersistentVolumeClaim", "data", "neighbor")
    before = dict(server.objects)
    shop = namespace("shop") | {"id": "shop"}
    pulumi = fake(state(server.provider(), shop), tmp_path, destroy=emptied)

    assert torn_down(aws, pulumi).failure == ""
    assert server.objects == before, "the namespace goes by the engine, the rest is none of the stack's"


@pytest.mark.mission_M40
def test_claims_are_shown_where_they_go(
    aws: Clients, server: KubernetesServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stateful(server)
    server.add("PersistentVolumeClaim", "data", "neighbor")

    def shown(*records: dict[str, Any]) -> str:
        deployment = state(server.provider(), *records)
        clusters = Clusters(deployment, lambda: deployment)
        work = Teardown(
            pulumi=fake(deployment, tmp_path),
            clients=aws,
            interaction=Interaction(as_json=False),
            clusters=clusters,
            kinds=(),
        )
        show(work, deployment)
        return capsys.readouterr().out

    in_a_foreign_cluster = shown(namespace("shop") | {"id": "shop"})
    assert "shop/data-db-0" in in_a_foreign_cluster
    assert "neighbor/data" not in in_a_foreign_cluster
    assert "neighbor/data" in shown(made_by_the_stack(server))


@pytest.mark.mission_M70
def test_a_teardown_of_an_unreachable_cluster_changes_nothing_until_its_loss_is_accepted(
    aws: Clients, server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.refusal = 503
    known = kubernetes_record(NAMESPACE, "tenant", "shop")
    pulumi = fake(state(server.provider(), known), tmp_path, destroy=emptied)
    with pytest.raises(OperationError, match=rf"503(?s:.)*{DELETE_UNREACHABLE}=true"):
        torn_down(aws, pulumi)
    assert pulumi.asked == []
    monkeypatch.setenv(DELETE_UNREACHABLE, "true")
    assert torn_down(aws, pulumi).failure == ""
    assert "destroy" in pulumi.asked


def claim(fact: str, subject: str, value: Any, comparison: str = "equals") -> Claim:
    operand = value if comparison == "equals" else None
    return Claim("tenancy", fact, subject, value, comparison, operand, ("CIS-EKS-4.2.1",))


@pytest.mark.mission_M72
def test_claims_on_objects_are_proved_in_the_cluster(aws: Clients, server: KubernetesServer) -> None:
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    live = server.add("Namespace", "shop", metadata={"labels": enforce})
    deny = server.add(
        "NetworkPolicy", "deny", "shop", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    )
    quota = server.add(
        "ResourceQuota", "quota", "shop", spec={"hard": {"pods": "40", "limits.memory": "8Gi"}}
    )
    deployment: Deployment = state(
        server.provider(),
        namespace() | {"id": "shop"},
        kubernetes_record(
            "kubernetes:core/v1:ResourceQuota",
            "quota",
            "shop/quota",
            inputs={"metadata": {"name": "quota", "namespace": "shop"}},
        ),
        kubernetes_record(
            POLICY, "deny", "shop/deny", inputs={"metadata": {"name": "deny", "namespace": "shop"}}
        ),
    )
    wanted = (
        claim("kubernetes.namespace.podSecurity", "shop", "restricted"),
        claim("kubernetes.networkPolicy.deniesByDefault", "shop/deny", True),
        claim("kubernetes.resourceQuota.hard", "shop/quota", ["limits.memory=8Gi", "pods=40"], "present"),
    )

    def verdicts() -> list[bool]:
        return [each.passed for each in prove(wanted, aws, Clusters(deployment, lambda: deployment))]

    assert verdicts() == [True, True, True]
    live["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "privileged"}
    deny["spec"]["ingress"] = [{}]
    quota["spec"]["hard"]["pods"] = "4000"
    assert verdicts() == [False, False, False]
    server.objects.clear()
    (gone, *_) = prove(wanted, aws, Clusters(deployment, lambda: deployment))
    assert "does not exist in the cluster" in gone.reason


class _Entries:
    """EKS's listing of access entries, in two pages."""

    def __init__(self, *principals: str) -> None:
        self._principals = [f"arn:aws:iam::123456789012:{each}" for each in principals]

    def get(self, _service: str) -> Any:
        return self

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked == {"clusterName": "main"}
        yield {"accessEntries": self._principals[:1]}
        yield {"accessEntries": self._principals[1:]}


@pytest.mark.mission_M72
def test_an_entry_that_nobody_claims_is_noticed_and_those_of_aws_are_not() -> None:
    wanted = claim("eks.cluster.accessEntries", "main", ["role/platform", "root", "user/ann"], "present")
    known = ("role/platform", "user/team/ann", "root", "role/aws-service-role/eks.amazonaws.com/ForEKS")

    def verdict(*principals: str) -> Any:
        none = state()
        (proof,) = prove([wanted], cast("Clients", _Entries(*principals)), Clusters(none, lambda: none))
        return proof

    assert verdict(*known).passed
    assert "role/stranger" in verdict(*known, "role/stranger").reason
    assert not verdict(*known[1:]).passed
