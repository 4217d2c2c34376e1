"""Access entries of a cluster and the policies associated with them."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from cloudcommerce_sandbox.plugins.eks.values import Inputs


def access_entries(
    name: str, entries: Inputs, cluster: aws.eks.Cluster, parent: pulumi.Resource
) -> list[aws.eks.AccessEntry]:
    """Make the entries.

    Args:
        name: Logical name of the component.
        entries: Key to entry, as in `accessEntries`.
        cluster: The cluster.
        parent: The component.
    """
    return [_entry(f"{name}-{key}", entry, cluster, parent) for key, entry in entries.items()]


def _entry(
    name: str, entry: Inputs, cluster: aws.eks.Cluster, parent: pulumi.Resource
) -> aws.eks.AccessEntry:
    made = aws.eks.AccessEntry(
        name,
        cluster_name=cluster.name,
        principal_arn=entry["principalArn"],
        kubernetes_groups=entry.get("kubernetesGroups"),
        tags=entry.get("tags"),
        type=entry.get("type"),
        user_name=entry.get("username"),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[cluster]),
    )
    for key, association in (entry.get("accessPolicies") or {}).items():
        known = pulumi.Output.from_input(association)
        aws.eks.AccessPolicyAssociation(
            f"{name}-{key}",
            cluster_name=cluster.name,
            principal_arn=entry["principalArn"],
            policy_arn=known.apply(lambda one: one["policyArn"]),
            access_scope=known.apply(_scope),
            opts=pulumi.ResourceOptions(parent=made, depends_on=[made]),
        )
    return made


def _scope(association: Any) -> Any:
    return association["accessScope"]
