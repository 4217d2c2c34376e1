"""Each stack's commands talk to its own cluster, or to none."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.contexts import select_context
from cloudcommerce_sandbox.engine.state import StackState
from cloudcommerce_sandbox.kubernetes.kubeconfig import write_user_kubeconfig
from cloudcommerce_sandbox.kubernetes.state import ClusterState
from cloudcommerce_sandbox.plugins.kubernetes import kubeconfig
from cloudcommerce_sandbox.workspace.environment import sandbox_environment
from cloudcommerce_sandbox.workspace.layout import Layout
from kubernetes import config as official

from sandbox.tests.control_planes import tools
from sandbox.tests.projects import Project

CLUSTERS = ("cloudcommerce-staging", "orders", "shop")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A sandbox in which clusters of several stacks run."""
    made = Layout(tmp_path)
    made.project.mkdir(parents=True)
    running = [
        ClusterState(name=name, region="us-east-1", ready=True, endpoint="https://127.0.0.1:2")
        for name in CLUSTERS
    ]
    write_user_kubeconfig(made.kubeconfig, running, "aws")
    return made


def cluster(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "aws:eks/cluster:Cluster", "custom": True, "id": name, **more}


def select(layout: Layout, stack: str, *resources: dict[str, Any], settings: str = "") -> None:
    (layout.project / f"Pulumi.{stack}.yaml").write_text(settings)
    select_context(layout, stack, StackState(resources=resources))


def variables(layout: Layout, stack: str) -> dict[str, str]:
    return sandbox_environment(layout, endpoint="http://127.0.0.1:1", stack=stack, plugins="sandbox")


def current(layout: Layout, stack: str) -> str:
    """What kubectl, the official client and our plugin agree on."""
    env = variables(layout, stack)
    command = [str(tools() / "kubectl"), "config", "current-context"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    given = kubeconfig.load(env["KUBECONFIG"])
    assert given["current-context"] == said.stdout.strip(), said.stderr
    assert [each["name"] for each in given["contexts"]] == list(CLUSTERS)
    if given["current-context"]:
        assert official.list_kube_config_contexts(env["KUBECONFIG"])[1]["name"] == given["current-context"]
    return said.stdout.strip()


def test_each_stack_has_its_own_cluster(layout: Layout) -> None:
    select(layout, "prod", {**cluster("vpc"), "type": "aws:ec2/vpc:Vpc"}, cluster("shop"))
    select(layout, "staging", settings="config: {kubernetes:context: cloudcommerce-staging}")

    assert current(layout, "prod") == "shop"
    assert current(layout, "staging") == "cloudcommerce-staging"


@pytest.mark.parametrize(
    "resources",
    [(), (cluster("shop", delete=True),), (cluster(""),), (cluster("shop", custom=False),)],
    ids=["nothing stands", "being deleted", "not made yet", "component"],
)
def test_stack_without_a_cluster_gets_none_of_the_others(
    layout: Layout, resources: tuple[dict[str, Any], ...]
) -> None:
    select(layout, "staging", settings="config: {kubernetes:context: cloudcommerce-staging}")
    select(layout, "prod", *resources)

    assert current(layout, "prod") == ""


def test_choice_follows_the_stack(layout: Layout) -> None:
    select(layout, "prod", cluster("shop"))
    select(layout, "prod", cluster("shop", delete=True), cluster("orders"))
    assert current(layout, "prod") == "orders"

    select(layout, "prod")
    assert current(layout, "prod") == ""


def test_context_chosen_by_hand_is_the_stacks_alone(layout: Layout) -> None:
    for stack in ("prod", "staging"):
        select(layout, stack, cluster("shop"))
    subprocess.run(
        [str(tools() / "kubectl"), "config", "use-context", "orders"],
        env=variables(layout, "staging"),
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert current(layout, "staging") == "orders"
    assert current(layout, "prod") == "shop"


def test_commands_of_stacks_side_by_side_have_each_its_own(project: Project) -> None:
    staging = "config: {kubernetes:context: somewhere}\n"
    (project.layout.checkout / "Pulumi.staging.yaml").write_text(staging)
    show = ["--", "sh", "-c", 'grep -h current-context $(echo "$KUBECONFIG" | tr : " ")']

    first = project.run("exec", "--stack", "staging", *show)
    second = project.run("exec", "--stack", "prod", *show)

    assert first.stdout == "current-context: somewhere\n", first.stderr
    assert second.stdout == "current-context: ''\n", second.stderr
