"""The security groups that a cluster makes unless it is told not to."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from cloudcommerce_sandbox.plugins.eks.values import merged_tags

_ANYWHERE = ["0.0.0.0/0"]


def cluster_security_group(
    name: str, vpc: pulumi.Input[str], parent: pulumi.Resource, *, tags: Any, own_tags: Any
) -> aws.ec2.SecurityGroup:
    """Make the group of the control plane's network interfaces, open to the outside only.

    Args:
        name: Logical name of the component.
        vpc: Id of the VPC.
        parent: The component.
        tags: Tags of everything.
        own_tags: Tags of this group.
    """
    inside = pulumi.ResourceOptions(parent=parent)
    group_name = f"{name}-eksClusterSecurityGroup"
    group = aws.ec2.SecurityGroup(
        group_name,
        vpc_id=vpc,
        revoke_rules_on_delete=True,
        tags=merged_tags(own_tags, tags, name=group_name),
        opts=inside,
    )
    _rule(
        f"{name}-eksClusterInternetEgressRule",
        "egress",
        "Allow internet access.",
        inside,
        security_group_id=group.id,
        cidr_blocks=_ANYWHERE,
    )
    return group


def node_security_group(
    name: str,
    vpc: pulumi.Input[str],
    cluster: aws.eks.Cluster,
    cluster_group_id: pulumi.Input[str],
    parent: pulumi.Resource,
    *,
    tags: Any,
) -> tuple[aws.ec2.SecurityGroup, aws.ec2.SecurityGroupRule]:
    """Make the group of nodes, with what they and the control plane need of each other.

    Returns:
        The group, and the rule that lets its members reach the API server.
    """
    inside = pulumi.ResourceOptions(parent=parent)
    group_name = f"{name}-nodeSecurityGroup"
    owned = cluster.name.apply(lambda known: {f"kubernetes.io/cluster/{known}": "owned"})
    group = aws.ec2.SecurityGroup(
        group_name,
        vpc_id=vpc,
        revoke_rules_on_delete=True,
        tags=merged_tags(owned, tags, name=group_name),
        opts=inside,
    )
    _rule(
        f"{name}-eksNodeIngressRule",
        "ingress",
        "Allow nodes to communicate with each other",
        inside,
        security_group_id=group.id,
        self=True,
    )
    from_cluster = {"security_group_id": group.id, "source_security_group_id": cluster_group_id}
    _rule(
        f"{name}-eksNodeClusterIngressRule",
        "ingress",
        "Allow worker Kubelets and pods to receive communication from the cluster control plane",
        inside,
        ports=(1025, 65535),
        **from_cluster,
    )
    _rule(
        f"{name}-eksExtApiServerClusterIngressRule",
        "ingress",
        "Allow pods running extension API servers on port 443 to receive communication from cluster "
        "control plane",
        inside,
        ports=(443, 443),
        **from_cluster,
    )
    _rule(
        f"{name}-eksNodeInternetEgressRule",
        "egress",
        "Allow internet access.",
        inside,
        security_group_id=group.id,
        cidr_blocks=_ANYWHERE,
    )
    to_cluster = _rule(
        f"{name}-eksClusterIngressRule",
        "ingress",
        "Allow pods to communicate with the cluster API Server",
        inside,
        ports=(443, 443),
        security_group_id=cluster_group_id,
        source_security_group_id=group.id,
    )
    return group, to_cluster


def _rule(
    name: str,
    direction: str,
    description: str,
    opts: pulumi.ResourceOptions,
    *,
    ports: tuple[int, int] | None = None,
    **members: Any,
) -> aws.ec2.SecurityGroupRule:
    """Make a rule: for TCP of some ports, or for everything."""
    first, last = ports or (0, 0)
    return aws.ec2.SecurityGroupRule(
        name,
        type=direction,
        description=description,
        from_port=first,
        to_port=last,
        protocol="tcp" if ports else "-1",
        opts=opts,
        **members,
    )
