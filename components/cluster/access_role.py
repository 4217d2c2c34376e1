"""A role in AWS that is a group in the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.cluster.access_policy import access_trust, describe_cluster

CLUSTER_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class AccessRoleArgs:
    """Who it is for, and what it is in the cluster.

    Attributes:
        description: Whom the role is for, for people.
        account_id: The account.
        cluster_name: The cluster.
        cluster_arn: Its ARN.
        group: The Kubernetes group that whoever takes the role is in.
        principals: ARNs of roles and users that may take it; none leaves it to the account's IAM.
        second_factor: Whether to demand one where nobody is named: of people, not of machines.
        access_policy_arn: EKS access policy over the whole cluster, beside what the group may do.
    """

    description: str
    account_id: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    group: str
    principals: Sequence[str] = ()
    second_factor: bool = True
    access_policy_arn: str | None = None


class AccessRole(pulumi.ComponentResource):
    """An IAM role with an access entry.

    Attributes:
        role_arn: ARN of the role.
        group: The Kubernetes group.
    """

    role_arn: pulumi.Output[str]
    group: pulumi.Output[str]

    def __init__(self, name: str, args: AccessRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:AccessRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            description=args.description,
            assume_role_policy=pulumi.Output.from_input(args.account_id).apply(
                lambda account: access_trust(account, args.principals, second_factor=args.second_factor)
            ),
            tags={"Name": name},
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=pulumi.Output.from_input(args.cluster_arn).apply(describe_cluster),
            opts=child,
        )
        entry = aws.eks.AccessEntry(
            name,
            cluster_name=args.cluster_name,
            principal_arn=role.arn,
            kubernetes_groups=[args.group],
            tags={"Name": name},
            opts=child,
        )
        if args.access_policy_arn:
            aws.eks.AccessPolicyAssociation(
                f"{name}-policy",
                cluster_name=args.cluster_name,
                principal_arn=entry.principal_arn,
                policy_arn=args.access_policy_arn,
                access_scope={"type": "cluster"},
                # Role and policy identify it: of two scopes, deleting the old one would take the new along.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
        self.role_arn = role.arn
        self.group = pulumi.Output.from_input(args.group)
        self.register_outputs({output: getattr(self, output) for output in AccessRole.__annotations__})
