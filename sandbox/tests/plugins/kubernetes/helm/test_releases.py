"""Releases that Helm installs from a mirror, on a real API server."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.mirror import VARIABLE, Mirror
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.plugins.kubernetes.helm.client import WITHOUT_CALLBACKS
from cloudcommerce_sandbox.plugins.provider import Change, InitializationError, Kind, ProviderError
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Asset, Secret

from sandbox.tests.charts.examples import EXAMPLES
from sandbox.tests.control_planes import until
from sandbox.tests.plugins.kubernetes.conftest import Kubectl
from sandbox.tests.plugins.kubernetes.helm.program import Release, program
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

pytestmark = [
    pytest.mark.mission_M70,
    pytest.mark.xdist_group("kubernetes-plugin"),
    pytest.mark.usefixtures("nodes", "with_mirror"),
]


@pytest.fixture
def thing(release: Release) -> Resource:
    return release()


def test_a_release_is_installed_changed_and_taken_away(
    thing: Resource, kubectl: Kubectl, namespace: str
) -> None:
    wanted = program(namespace)
    state = thing.up(wanted)
    assert thing.id == f"{namespace}/shop"
    assert state["status"] == {
        "appVersion": "7", "chart": "shop", "name": "shop", "namespace": namespace, "revision": 1,
        "status": "deployed", "version": "1.2.3",
    }  # fmt: skip
    assert state["resourceNames"]["Deployment.apps/apps/v1"] == ["shop-cache", "shop-web"]
    assert state["resourceNames"]["Service/v1"] == ["shop-store", "shop-web"]
    web = kubectl.read("deployment", "shop-web", "-n", namespace)
    assert web["status"]["readyReplicas"] == 2, "it waits until pods are ready"
    assert web["metadata"]["annotations"]["meta.helm.sh/release-name"] == "shop"

    more = program(namespace, version="1.3.0", values={"replicas": 3})
    assert thing.diff(wanted).changes == {}
    assert thing.diff(more).changes == {
        "version": Change(Kind.UPDATE),
        "values.replicas": Change(Kind.UPDATE),
    }
    state = thing.up(more)
    assert (state["status"]["revision"], state["status"]["version"]) == (2, "1.3.0")
    assert kubectl.read("deployment", "shop-web", "-n", namespace)["status"]["readyReplicas"] == 3

    thing.destroy()
    left = kubectl.read("deployments,statefulsets,daemonsets,services,configmaps", "-n", namespace)
    assert [item["metadata"]["name"] for item in left["items"]] == ["kube-root-ca.crt"]
    thing.id = f"{namespace}/shop"
    assert not thing.refresh(), "it is gone"
    thing.inputs = wanted
    thing.destroy()


def test_another_name_or_namespace_replaces(thing: Resource, namespace: str) -> None:
    thing.inputs = thing.check(program(namespace))
    thing.state, thing.id = dict(thing.inputs), f"{namespace}/shop"
    assert thing.diff(program(namespace, name="other")).changes == {"name": Change(Kind.UPDATE, replace=True)}
    moved = thing.diff(program("elsewhere")).changes
    assert moved == {"namespace": Change(Kind.UPDATE, replace=True)}


def test_a_preview_asks_the_server_and_changes_nothing(
    thing: Resource, kubectl: Kubectl, namespace: str
) -> None:
    foretold = thing.preview(program(namespace))
    assert foretold["status"] is UNKNOWN
    with pytest.raises(ProviderError, match="replicas"):
        thing.preview(program(namespace, values={"replicas": -1}))
    assert kubectl.read("deployments", "-n", namespace)["items"] == []
    assert thing.preview(program(namespace, values={"replicas": UNKNOWN}))["status"] is UNKNOWN
    assert thing.preview(program("not-there-yet"))["status"] is UNKNOWN


def test_secret_values_are_on_no_command_line_and_secret_in_state(
    thing: Resource, namespace: str, monkeypatch: pytest.MonkeyPatch, kubectl: Kubectl
) -> None:
    seen: list[str] = []
    start = subprocess.Popen.__init__

    def spy(self: Any, arguments: Any, *more: Any, **options: Any) -> None:
        seen.append(f"{arguments} {options.get('env')}")
        start(self, arguments, *more, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    state = thing.up(program(namespace, skipAwait=True, values={"password": Secret("geheim")}))
    assert any("install" in line for line in seen)
    assert not any("geheim" in line for line in seen)
    assert state["values"]["password"] == Secret("geheim")
    made = kubectl.read("secret", "shop-web", "-n", namespace)
    assert made["data"]["password"] == "Z2VoZWlt"
    assert thing.refresh()
    assert thing.inputs["values"]["password"] == Secret("geheim")


def test_values_of_files_count_below_the_program_s_own(
    thing: Resource, kubectl: Kubectl, namespace: str
) -> None:
    text = Asset({"text": "replicas: 1\ngreeting: from a file\n"})
    thing.up(program(namespace, valueYamlFiles=[text], skipAwait=True, values={"greeting": "hi"}))
    assert kubectl.read("deployment", "shop-web", "-n", namespace)["spec"]["replicas"] == 1
    assert kubectl.read("configmap", "shop-web", "-n", namespace)["data"]["greeting"] == "hi"


def test_a_failed_first_installation_is_remembered_explained_and_mended(
    thing: Resource, namespace: str, kubectl: Kubectl
) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    kubectl("apply", "-n", namespace, "-f", "-", given={**quota, "spec": {"hard": {"pods": "2"}}})
    with pytest.raises(InitializationError) as caught:
        thing.up(program(namespace, timeout=6))
    assert "INSTALLATION FAILED" in str(caught.value)
    assert "Deployment shop-web: " in str(caught.value)
    assert "exceeded quota: small" in str(caught.value)
    assert thing.id == f"{namespace}/shop"
    assert thing.state["status"]["status"] == "failed"
    assert thing.diff(program(namespace, timeout=6)).changes, "the next run tries again"
    kubectl("delete", "resourcequota", "small", "-n", namespace)
    assert thing.up(program(namespace))["status"]["status"] == "deployed"


def test_pod_security_refuses_the_pods_of_a_release(
    thing: Resource, namespace: str, kubectl: Kubectl
) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    with pytest.raises(InitializationError, match="violates PodSecurity"):
        thing.up(program(namespace, timeout=6, values={"securityContext": {"runAsNonRoot": False}}))


def test_an_atomic_failure_leaves_nothing(thing: Resource, namespace: str, kubectl: Kubectl) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    bad = {"securityContext": {"runAsNonRoot": False}}
    with pytest.raises(ProviderError, match="uninstalled due to atomic") as caught:
        thing.up(program(namespace, atomic=True, timeout=6, values=bad))
    assert not isinstance(caught.value, InitializationError)
    assert kubectl.read("deployments", "-n", namespace)["items"] == []


@pytest.mark.parametrize("first", [True, False])
def test_a_killed_helm_is_recovered(
    *,
    first: bool,
    thing: Resource,
    messages: Messages,
    namespace: str,
    plane: ControlPlane,
    helm: Helm,
    mirror: Mirror,
) -> None:
    """The values ask for more CPU than there is, so that Helm waits; then it is killed as by a crash."""
    if not first:
        thing.up(program(namespace))
    stuck = subprocess.Popen(
        [
            str(helm.executable), "upgrade", "shop", f"{mirror.location}/shop-1.2.3.tgz", "--install",
            "--wait", "-n", namespace, "--kubeconfig", str(plane.kubeconfig),
            "--set", "failing=true,replicas=4,monitor=false,migrate=false", *WITHOUT_CALLBACKS,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    status = ["status", "shop", "-n", namespace, "--kubeconfig", str(plane.kubeconfig)]
    deadline = time.monotonic() + 20
    while "pending-" not in _quietly(helm, status):
        assert time.monotonic() < deadline
    os.kill(stuck.pid, signal.SIGKILL)
    stuck.wait()
    assert thing.preview(program(namespace, values={"replicas": 1}))["status"] is UNKNOWN
    state = thing.up(program(namespace, values={"replicas": 1}))
    assert state["status"]["status"] == "deployed"
    assert "helm was killed in the middle" in messages


def test_what_helm_waits_for_is_shown(
    thing: Resource, messages: Messages, namespace: str, kubectl: Kubectl
) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    kubectl("apply", "-n", namespace, "-f", "-", given={**quota, "spec": {"hard": {"pods": "0"}}})
    with pytest.raises(InitializationError) as caught:
        thing.up(program(namespace, timeout=6))
    told = rf"helm installs shop: \w+ is not ready: {namespace}/shop-"
    assert any(re.match(told, message) for message in messages.shown), messages.shown
    assert "[debug]" not in str(caught.value)
    assert ".go:" not in str(caught.value)


def test_helm_does_not_outlive_a_killed_plugin(
    namespace: str, plane: ControlPlane, helm: Helm, kubectl: Kubectl
) -> None:
    """The quota has no pod, so that Helm waits."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    kubectl("apply", "-n", namespace, "-f", "-", given={**quota, "spec": {"hard": {"pods": "0"}}})
    arguments = [
        "install", "cache", str(EXAMPLES / "cache"), "--wait", "-n", namespace,
        "--kubeconfig", str(plane.kubeconfig),
    ]  # fmt: skip
    script = (
        "from pathlib import Path\n"
        "from cloudcommerce_sandbox.charts.helm import Helm\n"
        f"Helm(Path({str(helm.executable)!r})).run(*{arguments!r}, tell=lambda text: print(text, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout is not None
        while "is not ready" not in plugin.stdout.readline():
            assert plugin.poll() is None
        plugin.kill()
    until(lambda: not _processes(f"-n {namespace} --kubeconfig"), seconds=15)


def _processes(arguments: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if arguments in line]


def test_drift_is_seen_and_mended(
    thing: Resource,
    namespace: str,
    plane: ControlPlane,
    helm: Helm,
    mirror: Mirror,
) -> None:
    wanted = program(namespace, skipAwait=True)
    thing.up(wanted)
    helm.run(
        "upgrade", "shop", f"{mirror.location}/shop-1.3.0.tgz", "-n", namespace, "--reuse-values",
        "--set", "replicas=1", "--kubeconfig", str(plane.kubeconfig), *WITHOUT_CALLBACKS,
    )  # fmt: skip
    assert thing.refresh()
    assert thing.inputs["version"] == "1.3.0"
    assert set(thing.diff(wanted).changes) == {"version", "values.replicas"}
    thing.up(wanted)
    assert thing.refresh()
    assert thing.diff(wanted).changes == {}


def test_a_release_is_imported_and_a_taken_name_is_refused(
    thing: Resource,
    release: Release,
    namespace: str,
) -> None:
    wanted = program(namespace, skipAwait=True, timeout=300)
    thing.up(wanted)
    other = release("other")
    with pytest.raises(ProviderError, match=rf"there is a release {namespace}/shop already.*pulumi import"):
        other.up(wanted)
    other.adopt(f"{namespace}/shop")
    assert set(other.diff(wanted).changes) <= {"skipAwait"}
    other.adopt(f"{namespace}/nobody")
    assert other.id == ""


def test_objects_by_which_the_server_would_call_pods_are_left_out(
    thing: Resource, namespace: str, kubectl: Kubectl
) -> None:
    state = thing.up(program(namespace, skipAwait=True))
    assert not any(key.startswith("ValidatingWebhook") for key in state["resourceNames"])
    assert kubectl.read("validatingwebhookconfigurations")["items"] == []


def test_wrong_inputs_are_refused_before_anything_is_planned(thing: Resource, namespace: str) -> None:
    def refused(**inputs: Any) -> dict[str, str]:
        _, failures = thing.provider.check(thing.request(inputs=program(namespace, **inputs)))
        return {failure.path: failure.reason for failure in failures}

    assert "is no property" in refused(chrat="x")["chrat"]
    assert "is not run by the sandbox" in refused(postrender="sed")["postrender"]
    assert "never recorded" in refused(version="7.7.7")["chart"]
    assert "a number" not in refused(timeout="long")["timeout"]


def test_a_chart_in_a_folder_of_the_program_needs_no_mirror(
    thing: Resource, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    folder = Path(__file__).parents[3] / "charts" / "examples" / "cache"
    wanted = {"chart": str(folder), "name": "cache", "namespace": namespace, "skipAwait": True}
    assert thing.check(wanted)["version"] == "0.1.0"
    assert thing.up(wanted)["status"]["chart"] == "cache"


def _quietly(helm: Helm, arguments: list[str]) -> str:
    done = subprocess.run([str(helm.executable), *arguments], capture_output=True, text=True, check=False)
    return done.stdout


def test_the_post_renderer_is_this_interpreter_s() -> None:
    manifest = "kind: APIService\napiVersion: v1\n---\nkind: Service\napiVersion: v1\n"
    command = [sys.executable, "-m", "cloudcommerce_sandbox.charts.playable"]
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, check=True)
    assert "APIService" not in done.stdout
    assert "kind: Service" in done.stdout
