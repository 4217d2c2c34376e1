"""Who may reach what inside the VPC: security groups that admit other security groups and nothing else."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws


def store_security_group(
    name: str,
    *,
    parent: pulumi.Resource,
    description: str,
    vpc_id: pulumi.Input[str],
    ports: Mapping[str, int],
    clients: Mapping[str, pulumi.Input[str]],
) -> aws.ec2.SecurityGroup:
    """Make the security group of a store.

    The group has no egress rule: a store never opens a connection, and security groups are stateful, so
    its answers pass.

    Args:
        name: Name of the store; the rules are named after it, the client and the port.
        parent: The component that owns the store.
        description: What the group guards.
        vpc_id: The network.
        ports: TCP ports by the name of what listens (`{"postgres": 5432}`).
        clients: Security groups that may connect, by a short stable name.

    Returns:
        The group; everything that depends on it may be created before its rules.

    Raises:
        ValueError: nobody could connect.
    """
    if not clients:
        raise ValueError(
            f"{name}: client_security_group_ids is empty, so nothing could connect; "
            "give at least the workloads' security group"
        )
    group = aws.ec2.SecurityGroup(
        f"{name}-security-group",
        description=description,
        vpc_id=vpc_id,
        tags={"Name": f"{name}-security-group"},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for client, client_group_id in clients.items():
        for listener, port in ports.items():
            admit(
                f"{name}-{listener}-from-{client}",
                parent=parent,
                security_group_id=group.id,
                client_security_group_id=client_group_id,
                port=port,
            )
    return group


def admit(
    name: str,
    *,
    parent: pulumi.Resource,
    security_group_id: pulumi.Input[str],
    client_security_group_id: pulumi.Input[str],
    port: int,
) -> aws.vpc.SecurityGroupIngressRule:
    """Admit one security group to another on one TCP port."""
    return aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=security_group_id,
        referenced_security_group_id=client_security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=name,
        tags={"Name": name},
        opts=pulumi.ResourceOptions(parent=parent),
    )
