"""A real control plane, the plugin in front of it, and kubectl beside it."""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider

from sandbox.tests.control_planes import control_plane, tools
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

_NUMBERS = itertools.count()

Make = Callable[..., Resource]


@dataclass(frozen=True)
class Kubectl:
    """Somebody who changes things behind Pulumi's back."""

    kubeconfig: Path

    def __call__(self, *arguments: str, given: Any = None) -> str:
        done = subprocess.run(
            [str(tools() / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *arguments: str) -> Any:
        return json.loads(self("get", *arguments, "-o", "json"))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("plugin-cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def kubectl(plane: ControlPlane) -> Kubectl:
    return Kubectl(plane.kubeconfig)


@pytest.fixture
def messages() -> Messages:
    return Messages()


@pytest.fixture
def provider(plane: ControlPlane, messages: Messages) -> KubernetesProvider:
    made = KubernetesProvider(messages)
    made.configure({"kubeconfig": str(plane.kubeconfig)})
    return made


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    name = f"test-{next(_NUMBERS)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def make(provider: KubernetesProvider) -> Make:
    """Return what makes a resource of a kind: `make("apps/v1:Deployment")`."""

    def resource(kind: str, name: str = "thing") -> Resource:
        return Resource(provider, f"kubernetes:{kind}", name)

    return resource
