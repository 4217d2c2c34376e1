"""The kubeconfig for people: a context for each cluster, by its name."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.state import ClusterState


def write_user_kubeconfig(path: Path, clusters: Collection[ClusterState], aws: str) -> None:
    """Write the kubeconfig of all clusters that can be used.

    Who works on an EKS cluster is who the AWS credentials of the command are, as on AWS. None of the contexts
    is the current one: all stacks share the file, and no command may reach another stack's cluster unasked.

    Args:
        path: The file.
        clusters: The clusters.
        aws: The AWS command.
    """
    ready = sorted((item for item in clusters if item.ready), key=lambda item: (not item.region, item.name))
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": item.name, "cluster": _cluster(item)} for item in ready],
        "users": [{"name": item.name, "user": _user(item, aws)} for item in ready],
        "contexts": [
            {"name": item.name, "context": {"cluster": item.name, "user": item.name}} for item in ready
        ],
    }
    write_atomically(path, yaml.safe_dump(content, sort_keys=False), mode=0o600)


def _cluster(item: ClusterState) -> Mapping[str, Any]:
    return {"server": item.endpoint, "certificate-authority-data": item.authority}


def _user(item: ClusterState, aws: str) -> Mapping[str, Any]:
    if not item.region:
        # As kind and minikube do: whoever may read the file is the administrator.
        return _administrator(Path(item.kubeconfig))
    arguments = ["--region", item.region, "eks", "get-token", "--cluster-name", item.name, "--output", "json"]
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": aws,
            "args": arguments,
            "interactiveMode": "Never",
        }
    }


def _administrator(kubeconfig: Path) -> dict[str, Any]:
    content = yaml.safe_load(kubeconfig.read_text())
    return dict(content["users"][0]["user"])
