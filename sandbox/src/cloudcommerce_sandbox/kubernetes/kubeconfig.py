"""The kubeconfig for people: a context for each cluster, by its name."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.state import ClusterState


def write_user_kubeconfig(path: Path, clusters: Collection[ClusterState], aws: str) -> None:
    """Write the kubeconfig of all clusters that can be used.

    Who works on an EKS cluster is who the AWS credentials of the command are, as on AWS. The context that the
    user has chosen stays chosen while there is such a cluster, also one that is not ready at the moment.

    Args:
        path: The file.
        clusters: The clusters.
        aws: The AWS command.
    """
    ready = sorted((item for item in clusters if item.ready), key=lambda item: (not item.region, item.name))
    contexts = [{"name": item.name, "context": {"cluster": item.name, "user": item.name}} for item in ready]
    names = [item.name for item in ready]
    chosen, known = _chosen(path), {item.name for item in clusters}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": item.name, "cluster": _cluster(item)} for item in ready],
        "users": [{"name": item.name, "user": _user(item, aws)} for item in ready],
        "contexts": contexts,
        "current-context": chosen if chosen in known else next(iter(names), ""),
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


def _chosen(path: Path) -> str:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return ""
    return str(content.get("current-context") or "") if isinstance(content, dict) else ""
