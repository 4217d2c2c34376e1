"""A cluster that stands for many tests, and small stacks that put objects into it."""

import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.clusters import running_clusters
from cloudcommerce_sandbox.workspace.layout import Layout

from tests.sandbox.workbench import PROGRAMS, Workbench, make_checkout, share_cluster_tools

_NUMBERS = itertools.count()

ENTRANCE = """
import runpy
from pathlib import Path

import pulumi

runpy.run_path(str(Path(__file__).with_name(f"{pulumi.get_stack()}.py")))
"""
"""The project's program: each stack has a file of its own."""

PRELUDE = """
import os

import pulumi
import pulumi_kubernetes as k8s

shop = pulumi.Config().get_object("shop")
provider = k8s.Provider("cluster", kubeconfig=shop["kubeconfig"], cluster_identifier=shop["identifier"])
space = shop["namespace"]

def options(**given):
    return pulumi.ResourceOptions(provider=provider, **given)

def meta(name, **more):
    return {"name": name, "namespace": space, **more}

def container(name="app", **more):
    return {
        "name": name,
        "image": f"{name}:1",
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "run_as_non_root": True,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        **more,
    }

def deployment(name, replicas=1, labels=None, opts=None, **of_container):
    labels = labels or {"app": name}
    return k8s.apps.v1.Deployment(
        name,
        metadata=meta(name),
        spec={
            "replicas": replicas,
            "selector": {"match_labels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container(**of_container)]}},
        },
        opts=opts or options(),
    )
"""
"""What programs of stacks of objects begin with; `container` makes one that the `restricted` level admits."""


def make_cluster_checkout(folder: Path, pulumi: Path) -> Layout:
    """Make a project that may make clusters and has a program a stack."""
    layout = make_checkout(folder, pulumi)
    share_cluster_tools(layout)
    (folder / "requirements.txt").write_text("pulumi-eks\npulumi-kubernetes\n")
    (folder / "infra" / "__main__.py").write_text(ENTRANCE)
    return layout


@dataclass(frozen=True)
class StackBench(Workbench):
    """One stack of such a project."""

    def program(self, source: str | Path) -> None:
        """Write the stack's program: a file of `programs/`, or source that follows the prelude."""
        text = source.read_text() if isinstance(source, Path) else PRELUDE + source
        (self.layout.checkout / "infra" / f"{self.stack}.py").write_text(text)


@dataclass(frozen=True)
class Standing:
    """A cluster that a stack made.

    Attributes:
        bench: The stack, in the checkout of which everything is.
        name: The cluster's name.
        arn: Its ARN.
        kubeconfigs: How each role reaches it, by role, as the stack exports them.
    """

    bench: StackBench
    name: str
    arn: str
    kubeconfigs: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, layout: Layout) -> "Standing":
        """Bring it up."""
        bench = StackBench(layout)
        bench.settings()
        bench.program(PROGRAMS / "cluster.py")
        bench.must_up()
        outputs = bench.outputs()
        return cls(bench, outputs["clusterName"], outputs["clusterArn"], outputs["kubeconfigs"])

    @property
    def administrator(self) -> Path:
        """A kubeconfig that no access entry can take rights from."""
        [found] = [each for each in running_clusters(self.bench.layout) if each.name == self.name]
        return Path(found.kubeconfig)

    def kubectl(self, *arguments: str, given: Any = None) -> str:
        """Run kubectl as the administrator; it has to succeed."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.administrator), *arguments],
            env=self.bench.session.engine.environment,
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *arguments: str) -> Any:
        """Return what `kubectl get` finds."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    @contextmanager
    def opened(self, labels: Mapping[str, str] | None = None, **settings: Any) -> Iterator[StackBench]:
        """Have a stack for a while, with a namespace of its own that has these labels."""
        bench = self.open_stack(labels, **settings)
        yield bench
        self.kubectl("delete", "namespace", bench.stack, "--wait=false", "--ignore-not-found")

    def open_stack(self, labels: Mapping[str, str] | None = None, **settings: Any) -> StackBench:
        """Make a stack, and a namespace of its name that has these labels."""
        name = f"objects-{next(_NUMBERS)}"
        self.make_namespace(name, labels)
        return self.stack(name, **settings)

    def stack(self, name: str, **settings: Any) -> StackBench:
        """Make another stack in the checkout.

        Args:
            name: Its name, and that of the namespace which its objects are for.
            **settings: The stack's `shop`, beside how to reach the cluster.
        """
        bench = StackBench(self.bench.layout, name)
        bench.settings(**{**self.reached(), "namespace": name, **settings})
        bench.program("")
        return bench

    def reached(self, role: str = "platform") -> dict[str, str]:
        """Return the settings by which a stack reaches the cluster, in a role."""
        return {"kubeconfig": json.dumps(self.kubeconfigs[role]), "identifier": self.arn}

    def make_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        metadata = {"name": name, "labels": dict(labels or {})}
        self.kubectl(
            "create", "-f", "-", given={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        )
