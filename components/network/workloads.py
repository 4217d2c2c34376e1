"""The security group that marks the workloads."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class WorkloadSecurityGroupArgs:
    """Where the workloads run.

    Attributes:
        vpc_id: The VPC.
        vpc_cidr: Its range; inside it the workloads may open any connection.
    """

    vpc_id: pulumi.Input[str]
    vpc_cidr: pulumi.Input[str]


class WorkloadSecurityGroup(pulumi.ComponentResource):
    """The group that nodes carry and that the data stores admit.

    It admits its own members only. Outwards it opens the VPC and, for payment and image providers, HTTPS.

    Attributes:
        security_group_id: Identifier of the group.
    """

    security_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: WorkloadSecurityGroupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:network:WorkloadSecurityGroup", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=args.vpc_id,
            description="Workloads: carried by the nodes, admitted by the data stores",
            tags={"Name": name},
            opts=child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-members",
            security_group_id=group.id,
            description="Workloads to one another",
            ip_protocol="-1",
            referenced_security_group_id=group.id,
            tags={"Name": f"{name}-members"},
            opts=child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-vpc",
            security_group_id=group.id,
            description="Everything inside the VPC",
            ip_protocol="-1",
            cidr_ipv4=args.vpc_cidr,
            tags={"Name": f"{name}-vpc"},
            opts=child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-https",
            security_group_id=group.id,
            description="HTTPS to the internet through NAT",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4="0.0.0.0/0",
            tags={"Name": f"{name}-https"},
            opts=child,
        )
        self.security_group_id = group.id
        self.register_outputs(
            {output: getattr(self, output) for output in WorkloadSecurityGroup.__annotations__}
        )
