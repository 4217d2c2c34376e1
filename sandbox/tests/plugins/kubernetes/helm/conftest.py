"""Nodes to run on, a mirror, and a release as the engine drives it."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.mirror import VARIABLE, Chart, Mirror
from cloudcommerce_sandbox.kubernetes.commands import NODE_LABEL
from cloudcommerce_sandbox.plugins.kubernetes.helm.release import TOKEN, ReleaseResource
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider

from sandbox.tests.charts.examples import EXAMPLES
from sandbox.tests.control_planes import tools
from sandbox.tests.plugins.kubernetes.conftest import Kubectl
from sandbox.tests.plugins.kubernetes.helm.program import Release
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

_VOLUMES = 20
_CAPACITY = {"cpu": "2", "memory": "4Gi", "pods": "17"}
# The shop's claims ask for this class. No test waits for a provisioner: the volumes are there.
_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "played"},
    "provisioner": "kubernetes.io/no-provisioner",
}


@pytest.fixture(scope="session")
def helm() -> Helm:
    return Helm(tools() / "helm")


@pytest.fixture(scope="session")
def mirror(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    made = Mirror(str(tmp_path_factory.mktemp("mirror")))
    for version in ("1.2.3", "1.3.0"):
        made.add(helm, EXAMPLES / "shop", version)
    return made


@pytest.fixture(scope="session")
def shop(helm: Helm, mirror: Mirror) -> Chart:
    found = mirror.find(helm, "shop", "1.2.3")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def nodes(kubectl: Kubectl) -> Iterator[None]:
    """Two nodes of two zones, and volumes for the claims of the example chart."""
    key, _, value = NODE_LABEL.partition("=")
    kubectl("apply", "-f", "-", given=_CLASS)
    for zone in "ab":
        labels = {key: value, "topology.kubernetes.io/zone": zone}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"helm-{zone}", "labels": labels}}
        addresses = [{"type": "InternalIP", "address": "10.0.0.1"}]
        status = {"capacity": _CAPACITY, "allocatable": _CAPACITY, "addresses": addresses}
        kubectl("apply", "-f", "-", given=node)
        patch = str({"status": status}).replace("'", '"')
        kubectl("patch", "node", f"helm-{zone}", "--subresource=status", "--type=merge", "-p", patch)
    # A volume is used once: what a claim has left stays with it.
    volumes = [_volume() for _ in range(_VOLUMES)]
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": volumes})
    yield
    kubectl("delete", "node", "helm-a", "helm-b")


def _volume() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"helm-{uuid.uuid4().hex[:8]}"},
        "spec": {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "played",
            "hostPath": {"path": "/nowhere"},
        },
    }


@pytest.fixture
def with_mirror(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_tools(monkeypatch)
    monkeypatch.setenv(VARIABLE, mirror.location)


@pytest.fixture
def without_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_tools(monkeypatch)
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "recorded")


@pytest.fixture
def release(provider: KubernetesProvider, messages: Messages, recordings: Recordings) -> Release:
    """Return what makes a release resource; its recordings are those of the test."""

    def made(name: str = "shop") -> Resource:
        provider.__dict__["_releases"] = ReleaseResource(provider.cluster, messages, recordings)
        return Resource(provider, TOKEN, name)

    return made


def _with_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools()), os.environ["PATH"]]))
