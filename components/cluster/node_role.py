"""The role of the nodes."""

import pulumi
import pulumi_aws as aws

from components.secrets.trust import trust_policy

# Joining the cluster and pulling images is all a node does itself. Network plugin and storage driver have
# roles of their own by Pod Identity, so that no pod inherits their rights from its node.
POLICIES = {
    "worker": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
    "images": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
}


class NodeRole(pulumi.ComponentResource):
    """The role that nodes of every group take. EKS lets it join the cluster by itself.

    ECR decrypts images with a grant of its own, so pulling needs no permission on the key.

    Attributes:
        role_arn: ARN of the role, with its policies in place.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:NodeRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            description="Nodes of the cluster: join it and pull images",
            assume_role_policy=trust_policy("ec2.amazonaws.com"),
            tags={"Name": name},
            opts=child,
        )
        attachments = [
            aws.iam.RolePolicyAttachment(f"{name}-{short}", role=role.name, policy_arn=arn, opts=child)
            for short, arn in POLICIES.items()
        ]
        # A node that starts without its policies cannot join, and a group that lost them cannot be deleted.
        self.role_arn = pulumi.Output.all(role.arn, *(each.id for each in attachments)).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"role_arn": self.role_arn})
