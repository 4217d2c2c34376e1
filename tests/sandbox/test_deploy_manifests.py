"""What Argo CD will sync, as a real API server takes it: its schemas, Pod Security and quotas included."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloudcommerce_sandbox.charts import definitions
from cloudcommerce_sandbox.charts.inventory import Definition
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane

from components.cluster.namespace import pod_security_labels
from components.cluster.quota import DEFAULT_LIMIT, DEFAULT_REQUEST, MOST, Quota, hard_limits
from infra.cluster_settings import QuotasSettings
from sandbox.tests.control_planes import control_plane, tools

pytestmark = [pytest.mark.xdist_group("deploy"), pytest.mark.mission_M43]

_SERVICES = Path(__file__).resolve().parents[2] / "services"
_PROGRAMS = {
    "notification": _SERVICES / "order/deploy/notification",
    "order": _SERVICES / "order/deploy",
    "product": _SERVICES / "product/deploy",
    "user": _SERVICES / "user/deploy",
}
_STACKS = {"staging": "staging", "production": "prod"}
_ENVIRONMENTS = tuple(_STACKS)
_KUBERNETES = "1.35"

Object = dict[str, Any]


def _definition(group: str, kind: str, version: str, plural: str) -> Definition:
    return Definition(
        group=group, kind=kind, plural=plural, scope="Namespaced", versions=(version,), bundled=False
    )


_KINDS = (
    _definition("argoproj.io", "Rollout", "v1alpha1", "rollouts"),
    _definition("argoproj.io", "AnalysisTemplate", "v1alpha1", "analysistemplates"),
    _definition("external-secrets.io", "ExternalSecret", "v1", "externalsecrets"),
    _definition("keda.sh", "ScaledObject", "v1alpha1", "scaledobjects"),
    _definition("keda.sh", "TriggerAuthentication", "v1alpha1", "triggerauthentications"),
)


def _built(program: str, environment: str) -> list[Object]:
    command = [str(tools() / "kubectl"), "kustomize", str(_PROGRAMS[program] / environment)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _only(objects: Sequence[Object], kind: str) -> Object:
    (found,) = (item for item in objects if item["kind"] == kind)
    return found


def _templates(objects: Sequence[Object]) -> Iterator[Object]:
    for item in objects:
        if item["kind"] in ("Rollout", "Job"):
            yield item["spec"]["template"]
        if item["kind"] == "CronJob":
            yield item["spec"]["jobTemplate"]["spec"]["template"]


@dataclass(frozen=True)
class Cluster:
    """A control plane with the shop's namespaces as the stack makes them."""

    environment: str
    plane: ControlPlane

    def kubectl(self, *arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        command = [str(tools() / "kubectl"), "--kubeconfig", str(self.plane.kubeconfig), *arguments]
        text = None if given is None else json.dumps(given)
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)

    def apply(self, objects: Sequence[Mapping[str, Any]], *arguments: str) -> str:
        """Apply, misspelt members being errors, and return the complaints."""
        given = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        options = ("apply", "--server-side", "--validate=strict", "--filename=-", *arguments)
        return self.kubectl(*options, given=given).stderr


def _quotas(environment: str) -> dict[str, Quota]:
    stack = _SERVICES.parent / f"Pulumi.{_STACKS[environment]}.yaml"
    cluster = yaml.safe_load(stack.read_text())["config"]["cloudcommerce:cluster"]
    return QuotasSettings.model_validate(cluster.get("quotas", {})).by_application()


def _namespace(name: str, quota: Quota) -> list[Object]:
    limits = {"type": "Container", "defaultRequest": dict(DEFAULT_REQUEST), "default": dict(DEFAULT_LIMIT)}
    labels = pod_security_labels("restricted", _KUBERNETES)
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota", "namespace": name},
            "spec": {"hard": hard_limits(quota)},
        },
        {
            "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits", "namespace": name},
            "spec": {"limits": [{**limits, "max": dict(MOST)}]},
        },
    ]  # fmt: skip


@pytest.fixture(scope="module", params=_ENVIRONMENTS)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane(tmp_path_factory.mktemp("deploy")) as plane:
        made = Cluster(request.param, plane)
        kinds = definitions.definitions(_KINDS)
        assert all(map(definitions.has_schema, kinds.values())), "a kind without its schema proves nothing"
        assert "rror" not in made.apply(list(kinds.values()))
        made.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all")
        for name, quota in _quotas(made.environment).items():
            assert "rror" not in made.apply(_namespace(name, quota))
        yield made


@pytest.mark.parametrize("program", _PROGRAMS)
def test_the_api_server_takes_every_object_without_a_word(cluster: Cluster, program: str) -> None:
    """Errors and warnings both: those of Pod Security are warnings on templates."""
    assert cluster.apply(_built(program, cluster.environment)) == ""


def test_the_rails_are_up(cluster: Cluster) -> None:
    """What the tests around this one rely on: wrong members and unsafe pods are refused."""
    rollout = _only(_built("product", cluster.environment), "Rollout")
    misspelt = json.loads(json.dumps(rollout).replace('"maxSurge"', '"maxSurges"'))
    assert "maxSurges" in cluster.apply([misspelt], "--dry-run=server")
    pod = _pod("product", rollout["spec"]["template"], "unsafe")
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    pod["spec"].pop("serviceAccountName")
    assert "violates PodSecurity" in cluster.apply([pod], "--dry-run=server")


def _pod(namespace: str, template: Mapping[str, Any], name: str) -> Object:
    """A pod of a template, as its controller would make it."""
    # The hash is the controller's; without one the API server would refuse the key as unknown to the pod.
    labels = {**template["metadata"]["labels"], "rollouts-pod-template-hash": "abc"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": json.loads(json.dumps(template["spec"])),
    }


def _most(objects: Sequence[Object]) -> int:
    """Pods at full load while a release goes on."""
    surge: int = _only(objects, "Rollout")["spec"]["strategy"]["canary"]["maxSurge"]
    for item in objects:
        if item["kind"] == "HorizontalPodAutoscaler":
            return int(item["spec"]["maxReplicas"]) + surge
        if item["kind"] == "ScaledObject":
            return int(item["spec"]["maxReplicaCount"]) + surge
    raise AssertionError("nothing scales it")


def test_all_pods_at_full_load_fit_into_the_namespaces(cluster: Cluster) -> None:
    """Each is really created, so that Pod Security, limits and the quota have all had their say."""
    for program in _PROGRAMS:
        objects = _built(program, cluster.environment)
        assert cluster.apply(objects) == ""
        namespace = _only(objects, "Rollout")["metadata"]["namespace"]
        rollout, *jobs = sorted(_templates(objects), key=lambda template: "restartPolicy" in template["spec"])
        pods = [_pod(namespace, rollout, f"{program}-{number}") for number in range(_most(objects))]
        pods += [_pod(namespace, job, f"{program}-job-{number}") for number, job in enumerate(jobs)]
        assert cluster.apply(pods) == ""


@pytest.mark.parametrize("environment", _ENVIRONMENTS)
@pytest.mark.parametrize("program", _PROGRAMS)
def test_what_refers_to_another_object_finds_it(program: str, environment: str) -> None:
    objects = _built(program, environment)
    names = {(item["kind"], item["metadata"]["name"]) for item in objects}
    rollout = _only(objects, "Rollout")
    for template in _templates(objects):
        (container,) = template["spec"]["containers"]
        config, secret = container["envFrom"]
        assert ("ConfigMap", config["configMapRef"]["name"]) in names
        assert ("ExternalSecret", secret["secretRef"]["name"]) in names
        assert ("ServiceAccount", template["spec"]["serviceAccountName"]) in names
    labels = rollout["spec"]["template"]["metadata"]["labels"].items()
    ports = {port["name"] for port in rollout["spec"]["template"]["spec"]["containers"][0]["ports"]}
    selecting = [item for item in objects if item["kind"] in ("Service", "PodDisruptionBudget")]
    for item in selecting:
        selector = item["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= labels
        assert {port["targetPort"] for port in item["spec"].get("ports", ())} <= ports
    assert rollout["spec"]["selector"]["matchLabels"].items() <= labels
    canary = rollout["spec"]["strategy"]["canary"]
    assert {("Service", canary[key]) for key in ("stableService", "canaryService") if key in canary} <= names


@pytest.mark.parametrize("environment", _ENVIRONMENTS)
@pytest.mark.parametrize("program", _PROGRAMS)
def test_images_are_pinned_and_variables_are_known(program: str, environment: str) -> None:
    objects = _built(program, environment)
    for template in _templates(objects):
        image = template["spec"]["containers"][0]["image"]
        assert re.fullmatch(rf"cloudcommerce/{program}@sha256:[0-9a-f]{{64}}", image)
    service = "order" if program == "notification" else program
    documented = (_SERVICES / service / "README.md").read_text()
    for variable in _only(objects, "ConfigMap")["data"]:
        assert variable == "GOMEMLIMIT" or f"`{variable}`" in documented, variable
