"""The kubeconfig of an EKS cluster: `aws eks get-token` says who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

_CREDENTIALS: Final = "client.authentication.k8s.io/v1beta1"
_REGION_PART: Final = 3


def region_of(arn: str) -> str:
    """Return the region in an ARN.

    Raises:
        ValueError: It is no ARN.
    """
    parts = arn.split(":")
    if parts[0] != "arn" or len(parts) <= _REGION_PART:
        message = f"{arn!r} is no ARN"
        raise ValueError(message)
    return parts[_REGION_PART]


def kubeconfig(
    name: str,
    endpoint: str,
    authority: str,
    region: str,
    *,
    role: str | None = None,
    profile: str | None = None,
) -> dict[str, Any]:
    """Return the kubeconfig as the official plugin words it.

    Args:
        name: The cluster's name.
        endpoint: URL of its API server.
        authority: Base64 of the PEM that signed its certificate.
        region: AWS region.
        role: ARN of a role to assume.
        profile: Name of an AWS profile.
    """
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    arguments += ["--role", role] if role else []
    arguments += ["--profile", profile] if profile else []
    cluster = {"server": endpoint, "certificate-authority-data": authority}
    command = {
        "apiVersion": _CREDENTIALS,
        "command": "aws",
        "args": arguments,
        "env": [{"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{_CREDENTIALS}"}}'}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": cluster}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "current-context": "aws",
        "users": [{"name": "aws", "user": {"exec": command}}],
    }


def of_cluster(
    cluster: aws.eks.Cluster, credentials: Any, *, with_profile: bool
) -> pulumi.Output[dict[str, Any]]:
    """Return the kubeconfig of a cluster.

    Args:
        cluster: The cluster.
        credentials: `roleArn` and `profileName`, if any.
        with_profile: Whether the profile is named; the exported kubeconfig is for other people as well.
    """

    def build(given: list[Any]) -> dict[str, Any]:
        name, endpoint, authority, arn, options = given
        chosen: Mapping[str, Any] = options or {}
        profile = chosen.get("profileName") if with_profile else None
        return kubeconfig(
            name, endpoint, authority, region_of(arn), role=chosen.get("roleArn"), profile=profile
        )

    authority = cluster.certificate_authority.apply(lambda found: found.data)
    return pulumi.Output.all(cluster.name, cluster.endpoint, authority, cluster.arn, credentials).apply(build)
