"""Which cluster a stack's commands talk to when they name none."""

import yaml

from cloudcommerce_sandbox.engine.state import StackState
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.workspace.documents import read_mapping
from cloudcommerce_sandbox.workspace.layout import Layout
from cloudcommerce_sandbox.workspace.view import stack_file_name

_EKS_CLUSTER = "aws:eks/cluster:Cluster"


def named_context(layout: Layout, stack: str) -> str:
    """Return the context that a stack's file names as `kubernetes:context`; "" when it names none.

    Args:
        layout: The sandbox.
        stack: The stack.
    """
    settings = read_mapping(layout.project / stack_file_name(stack)).get("config") or {}
    named = settings.get("kubernetes:context")
    return named if isinstance(named, str) else ""


def select_context(layout: Layout, stack: str, state: StackState) -> None:
    """Make a stack's own cluster the current one of its commands, or none while it has no cluster.

    The file has nothing but the choice: `KUBECONFIG` names it before the one with the clusters. So stacks
    share the clusters, but never the choice.

    Args:
        layout: The sandbox.
        stack: The stack.
        state: What stands of it.
    """
    own = (
        str(resource.get("id") or "")
        for resource in state.custom()
        if resource["type"] == _EKS_CLUSTER and not resource.get("delete")
    )
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [],
        "contexts": [],
        "users": [],
        "current-context": named_context(layout, stack) or next(filter(None, own), ""),
    }
    write_atomically(layout.context(stack), yaml.safe_dump(content, sort_keys=False), mode=0o600)
