"""What a workload in the cluster may do in AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.cluster.identity_policy import workload_trust


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    """Who the workload is, and what it may do.

    Attributes:
        cluster_name: The cluster.
        cluster_arn: Its ARN.
        namespace: Namespace of the service account.
        service_account: The service account that the workload's pods run as.
        managed_policies: ARNs of managed policies, by a short stable name.
        policy: A policy document of its own, if any.
    """

    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    namespace: str
    service_account: str
    managed_policies: Mapping[str, str] = field(default_factory=dict)
    policy: pulumi.Input[str] | None = None


class WorkloadIdentity(pulumi.ComponentResource):
    """A role that the pods of one service account take, by EKS Pod Identity.

    Whatever starts such pods has to depend on it: pods that are older than the association have no identity.

    Attributes:
        role_arn: ARN of the role.
        association_id: The association of role and service account.
    """

    role_arn: pulumi.Output[str]
    association_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:cluster:WorkloadIdentity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            description=f"Pods of {args.namespace}/{args.service_account}",
            assume_role_policy=pulumi.Output.from_input(args.cluster_arn).apply(
                lambda arn: workload_trust(arn, args.namespace, args.service_account)
            ),
            tags={"Name": name},
            opts=child,
        )
        policies: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(f"{name}-{short}", role=role.name, policy_arn=arn, opts=child)
            for short, arn in args.managed_policies.items()
        ]
        if args.policy is not None:
            policies.append(
                aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=args.policy, opts=child)
            )
        association = aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster_name,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=role.arn,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=policies),
        )
        self.role_arn = role.arn
        self.association_id = association.association_id
        self.register_outputs({output: getattr(self, output) for output in WorkloadIdentity.__annotations__})
