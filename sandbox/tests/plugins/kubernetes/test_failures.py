"""Clusters that are away, come back, are others than before, or do not let us in."""

import json
import os
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import kubeconfig
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.provider import ProviderError

from sandbox.tests.plugins.kubernetes.conftest import Make
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource
from sandbox.tests.plugins.kubernetes.test_lifecycle import config_map, deployment

pytestmark = pytest.mark.xdist_group("kubernetes-plugin")

TOKEN = "kubernetes:core/v1:ConfigMap"


def config(server: str = "https://127.0.0.1:1", name: str = "shop", **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "from-context"}}],
        "clusters": [{"name": name, "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": name, "user": user or {"token": "x"}}],
    }


def provider_of(config_: Any, messages: Messages | None = None, **more: Any) -> KubernetesProvider:
    made = KubernetesProvider(messages)
    made.configure({"kubeconfig": config_, **more})
    return made


@pytest.fixture
def away() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.mission_M70
def test_a_restart_of_the_api_server_goes_unnoticed(plane: ControlPlane, make: Make, namespace: str) -> None:
    things = [make("core/v1:ConfigMap", f"thing-{number}") for number in range(30)]
    things[0].up(config_map(namespace, "thing-0"))
    os.kill(plane.pids["kube-apiserver"], signal.SIGKILL)
    ended = threading.Event()

    def tend() -> None:
        while not ended.is_set():
            plane.tend()
            time.sleep(0.2)

    keeper = threading.Thread(target=tend)
    keeper.start()
    try:
        for thing in things[1:]:
            thing.up(config_map(namespace, thing.name))
            assert not thing.diff(config_map(namespace, thing.name)).changes
        things[0].destroy()
    finally:
        while not plane.tend():
            time.sleep(0.2)
        ended.set()
        keeper.join()


def test_an_unreachable_cluster_is_an_error_that_names_the_way_out(
    away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.plugins.kubernetes.discovery._FIRST_CONTACT_SECONDS", 0.5)
    messages = Messages()
    thing = Resource(provider_of(config(away), messages), TOKEN)
    program = {"metadata": {"name": "a"}, "data": {"a": "1"}}
    foretold = thing.preview(program)
    assert foretold["metadata"]["namespace"] == "from-context"
    assert "does not answer" in messages
    with pytest.raises(ProviderError, match="does not answer"):
        thing.up(program)
    thing.id, thing.inputs, thing.state = "from-context/a", foretold, foretold
    begun = time.monotonic()
    with pytest.raises(ProviderError, match="deleteUnreachable"):
        thing.refresh()
    with pytest.raises(ProviderError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        thing.destroy()
    assert time.monotonic() - begun < 0.5, "once unreachable, nothing waits again"


def test_what_is_unreachable_is_dropped_or_left_alone_on_demand(
    away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.plugins.kubernetes.discovery._FIRST_CONTACT_SECONDS", 0.5)
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}
    dropped = Resource(provider_of(config(away), deleteUnreachable="true"), TOKEN, "a", "a", old, old)
    assert not dropped.refresh()
    dropped.destroy()
    monkeypatch.setenv("PULUMI_K8S_SKIP_UPDATE_UNREACHABLE", "true")
    kept = Resource(provider_of(config(away)), TOKEN, "a", "a", old, old)
    assert kept.refresh()
    assert kept.check({**old, "data": {"a": "2"}}) == old


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{not yaml: [", "neither YAML nor JSON"),
        ("/no/such/file", "there is no kubeconfig"),
        ({"clusters": "x"}, "no kubeconfig"),
        ({"clusters": [], "contexts": [], "users": []}, "can't be used"),
        (config(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/no/aws"}), "/no/aws"),
    ],
)
def test_kubeconfigs_that_lead_nowhere(given: Any, message: str) -> None:
    assert message in provider_of(given).cluster.unreachable


def test_wrong_credentials_are_not_taken_for_absence(plane: ControlPlane) -> None:
    given = kubeconfig.load(str(plane.kubeconfig))
    given["users"][0]["user"] = {"token": "wrong"}
    assert "does not accept the credentials" in provider_of(given).cluster.unreachable


def test_a_kubeconfig_may_be_text_a_path_or_several_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(json.dumps(config("https://one", "one")))
    second.write_text(json.dumps(config("https://two", "two")))
    assert kubeconfig.load(first.read_text()) == kubeconfig.load(str(first))
    monkeypatch.setenv("KUBECONFIG", f"{first}{os.pathsep}{second}{os.pathsep}/no/such")
    merged = kubeconfig.load("")
    assert merged["current-context"] == "one"
    assert kubeconfig.active_cluster(merged, "two") == {
        "server": "https://two",
        "insecure-skip-tls-verify": True,
    }


def test_certificate_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    given = config("https://one")
    given["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    (tmp_path / "config").write_text(json.dumps(given))
    found = kubeconfig.load(str(tmp_path / "config"))
    assert kubeconfig.active_cluster(found) is not None
    assert found["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")


def test_a_token_is_fetched_again_before_it_expires(
    plane: ControlPlane, tmp_path: Path, kubectl: Any, namespace: str
) -> None:
    kubectl("create", "serviceaccount", "ci", "-n", namespace)
    kubectl(
        "create",
        "rolebinding",
        "ci",
        "-n",
        namespace,
        "--clusterrole=edit",
        f"--serviceaccount={namespace}:ci",
    )
    token = kubectl("create", "token", "ci", "-n", namespace).strip()
    count = tmp_path / "count"
    expiry = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    program = tmp_path / "get-token"
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": token, "expirationTimestamp": expiry},
    }
    program.write_text(
        f"#!{sys.executable}\nopen({str(count)!r}, 'a').write('x')\nprint({json.dumps(credential)!r})\n"
    )
    program.chmod(0o700)
    given = kubeconfig.load(str(plane.kubeconfig))
    command = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(program)}
    given["users"][0]["user"] = {"exec": command}
    thing = Resource(provider_of(given), TOKEN)
    thing.up(config_map(namespace))
    fetched = len(count.read_text())
    time.sleep(2.1)
    thing.refresh()
    assert len(count.read_text()) > fetched


def test_another_kubeconfig_for_the_same_cluster_replaces_nothing(provider: KubernetesProvider) -> None:
    def changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, bool]:
        return {key: change.replace for key, change in provider.diff_config(old, new).changes.items()}

    one, two = config("https://one"), config("https://two")
    renewed = {**one, "users": [{"name": "shop", "user": {"token": "new"}}]}
    assert changes({"kubeconfig": one}, {"kubeconfig": renewed}) == {"kubeconfig": False}
    assert changes({"kubeconfig": one}, {"kubeconfig": two}) == {"kubeconfig": True}
    assert changes({"kubeconfig": json.dumps(one)}, {"kubeconfig": one}) == {"kubeconfig": False}
    assert changes({"kubeconfig": one}, {"kubeconfig": wire.UNKNOWN}) == {"kubeconfig": True}
    same = {"clusterIdentifier": "prod"}
    assert changes({"kubeconfig": one, **same}, {"kubeconfig": two, **same}) == {"kubeconfig": False}
    assert changes({"kubeconfig": one, **same}, {"kubeconfig": wire.UNKNOWN, **same}) == {"kubeconfig": False}
    assert changes({"kubeconfig": one}, {"kubeconfig": one, **same}) == {"clusterIdentifier": False}
    assert changes(same, {"clusterIdentifier": "other"}) == {"clusterIdentifier": True}


def test_settings_that_would_be_ignored_are_refused(provider: KubernetesProvider) -> None:
    def refused(**given: Any) -> list[str]:
        return [failure.path for failure in provider.check_config(given)]

    assert refused(renderYamlToDirectory="out") == ["renderYamlToDirectory"]
    assert refused(enableServerSideApply="false") == ["enableServerSideApply"]
    assert refused(kubeconifg="x") == ["kubeconifg"]
    assert not refused(kubeconfig=wire.UNKNOWN, clusterIdentifier="a", enableServerSideApply="true")


def test_a_replaced_cluster_has_none_of_the_old_objects(provider: KubernetesProvider) -> None:
    old = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("no-such-namespace")}
    thing = Resource(provider, "kubernetes:apps/v1:Deployment", "a", "no-such-namespace/cart", old, old)
    assert not thing.refresh()
    thing.destroy()


def test_a_kind_that_nobody_brings_is_named_at_the_end(
    provider: KubernetesProvider, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.plugins.kubernetes.lifecycle._PATIENCE", 0.5)
    thing = Resource(provider, "kubernetes:none.example.com/v1:Nothing")
    with pytest.raises(
        ProviderError, match=r"no kind Nothing of none\.example\.com/v1.*CustomResourceDefinition"
    ):
        thing.up({"metadata": {"namespace": namespace, "name": "a"}})
