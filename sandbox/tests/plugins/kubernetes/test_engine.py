"""The plugin under the real engine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.workspace.home import install_plugins, write_launcher

from sandbox.tests.control_planes import until
from sandbox.tests.plugins.kubernetes.conftest import Kubectl

pytestmark = pytest.mark.xdist_group("kubernetes-plugin")

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

settings = pulumi.Config()
provider = k8s.Provider("cluster", kubeconfig=settings.require("kubeconfig"), cluster_identifier="test")
opts = pulumi.ResourceOptions(provider=provider)
space = k8s.core.v1.Namespace("space", metadata={"name": settings.require("namespace")}, opts=opts)
"""

SHOP = """
name = space.metadata.name
secret = k8s.core.v1.Secret(
    "token",
    metadata={"namespace": name},
    string_data={"password": pulumi.Output.secret("hunter2")},
    opts=opts,
)
settings_map = k8s.core.v1.ConfigMap(
    "settings", metadata={"namespace": name}, data={"colour": settings.get("colour") or "red"}, opts=opts
)
cart = k8s.apps.v1.Deployment(
    "cart",
    metadata={"namespace": name, "name": "cart"},
    spec={
        "replicas": 0,
        "selector": {"match_labels": {"app": "cart"}},
        "template": {
            "metadata": {"labels": {"app": "cart"}},
            "spec": {
                "containers": [
                    {
                        "name": "cart",
                        "image": "cart:1",
                        "env_from": [{"config_map_ref": {"name": settings_map.metadata.name}}],
                        "resources": {"limits": {"cpu": "1000m"}},
                    }
                ]
            },
        },
    },
    opts=opts,
)
group = k8s.yaml.ConfigGroup(
    "group",
    yaml=["{apiVersion: v1, kind: ServiceAccount, metadata: {name: cart, namespace: default}}"],
    opts=pulumi.ResourceOptions(providers={"kubernetes": provider}),
)
pulumi.export("settings", settings_map.metadata.name)
pulumi.export("uid", cart.metadata.uid)
"""


@dataclass(frozen=True)
class Stack:
    """A project on a file backend, run by the real engine."""

    folder: Path
    environment: dict[str, str]

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["pulumi", *arguments, "--stack", "test", "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == code, output
        return output

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json"))
        return found

    def state(self) -> str:
        return self.run("stack", "export")


@pytest.fixture
def stack(tmp_path: Path, pulumi: Path, plane: ControlPlane, kubectl: Kubectl) -> Iterator[Stack]:
    install_plugins(tmp_path / "home")
    write_launcher(tmp_path / "bin" / "pulumi-language-python", "cloudcommerce_sandbox.language_host")
    (tmp_path / "state").mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(tmp_path / "bin"), str(pulumi.parent), os.environ["PATH"]]),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    made = Stack(folder, environment)
    made.run("stack", "init")
    namespace = f"engine-{time.monotonic_ns()}"
    made.run("config", "set", "kubeconfig", str(plane.kubeconfig))
    made.run("config", "set", "namespace", namespace)
    yield made
    kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.mark.mission_M70
def test_a_stack_from_preview_to_destroy(stack: Stack, kubectl: Kubectl) -> None:
    stack.write(PROGRAM + SHOP)
    preview = stack.run("preview")
    assert "8 to create" in preview
    stack.run("up", "--yes")
    settings = stack.outputs()["settings"]
    assert "hunter2" not in stack.state()
    assert "unchanged" in stack.run("up", "--yes", "--expect-no-changes")

    namespace = stack.run("config", "get", "namespace").strip()
    kubectl("label", "deployment", "cart", "-n", namespace, "theirs=1")
    kubectl("set", "image", "deployment/cart", "-n", namespace, "cart=cart:evil")
    stack.run("refresh", "--yes")
    assert "cart:evil" in stack.state()
    assert "1 updated" in stack.run("up", "--yes")
    live = kubectl.read("deployment", "cart", "-n", namespace)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "cart:1"

    stack.run("config", "set", "colour", "blue")
    assert "1 replaced" in stack.run("up", "--yes")
    assert stack.outputs()["settings"] != settings, "made anew under another name before the old one went"
    stack.run("destroy", "--yes")
    assert kubectl("get", "namespace", namespace, "--ignore-not-found") == ""


def test_a_refusal_is_shown_in_preview_with_the_resource(stack: Stack) -> None:
    metadata = {"name": "Not A Name", "namespace": "default"}
    stack.write(PROGRAM + f"k8s.core.v1.ConfigMap('wrong', metadata={metadata}, opts=opts)\n")
    output = stack.run("preview", code=1)
    assert "kubernetes:core/v1:ConfigMap 'wrong'" in output
    assert "RFC 1123" in output


@pytest.mark.mission_M70
def test_a_plugin_killed_in_the_middle_of_a_creation(stack: Stack, kubectl: Kubectl) -> None:
    stack.write(
        PROGRAM
        + """
pod = k8s.core.v1.Pod(
    "stuck",
    metadata={"namespace": space.metadata.name, "name": "stuck"},
    spec={"containers": [{"name": "c", "image": "c:1"}]},
    opts=opts,
)
"""
    )
    namespace = stack.run("config", "get", "namespace").strip()
    process = stack.start("up", "--yes", "--skip-preview")
    until(lambda: kubectl("get", "pods", "-n", namespace, "--ignore-not-found", "-o", "name"))
    uid = kubectl.read("pod", "stuck", "-n", namespace)["metadata"]["uid"]
    for pid in _children(process.pid):
        if b"plugins.kubernetes" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0

    done = {"status": {"phase": "Succeeded"}}
    change = ("--subresource=status", "--type=merge", "-p", json.dumps(done))
    kubectl("patch", "pod", "stuck", "-n", namespace, *change)
    stack.run("up", "--yes", "--skip-preview")
    assert uid in stack.state(), "the pod that was half made is the one that the state has"


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


@pytest.mark.mission_M70
def test_five_hundred_objects_in_one_stack(stack: Stack) -> None:
    stack.write(
        PROGRAM
        + """
for number in range(500):
    k8s.core.v1.ConfigMap(
        f"thing-{number}", metadata={"namespace": space.metadata.name}, data={"n": str(number)}, opts=opts
    )
"""
    )
    begun = time.monotonic()
    assert "503 created" in stack.run("up", "--yes", "--skip-preview")
    made = time.monotonic()
    assert "503 unchanged" in stack.run("up", "--yes", "--skip-preview")
    again = time.monotonic()
    sys.stdout.write(f"{(made - begun) * 2:.0f} ms an object made, {(again - made) * 2:.0f} ms unchanged\n")
    assert made - begun < 120
    assert again - made < 60
