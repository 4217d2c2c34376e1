"""How a client reaches the cluster: kubeconfigs that hold no secret. Pure functions."""

from typing import Any


def kubeconfig(
    *, cluster_name: str, endpoint: str, certificate_authority: str, region: str, role_arn: str | None = None
) -> dict[str, Any]:
    """Describe how to reach the cluster as the caller, or in a role that the caller may assume.

    The token comes from `aws eks get-token` at each use, so nothing in it is secret and nothing expires.

    Args:
        cluster_name: The cluster; also the name of the context.
        endpoint: URL of its API.
        certificate_authority: Base64 of the PEM that signs the API's certificate.
        region: The cluster's region.
        role_arn: Role to take, if not the caller's own identity.
    """
    command = ["eks", "get-token", "--cluster-name", cluster_name, "--region", region, "--output", "json"]
    if role_arn:
        command += ["--role-arn", role_arn]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster_name,
                "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority},
            }
        ],
        "users": [
            {
                "name": cluster_name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "aws",
                        "args": command,
                        "interactiveMode": "IfAvailable",
                    }
                },
            }
        ],
        "contexts": [{"name": cluster_name, "context": {"cluster": cluster_name, "user": cluster_name}}],
        "current-context": cluster_name,
    }
