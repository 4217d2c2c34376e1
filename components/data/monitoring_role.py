"""The role in which RDS publishes enhanced monitoring."""

import pulumi
import pulumi_aws as aws

from components.secrets.trust import trust_policy

_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"


def monitoring_role(
    name: str, *, parent: pulumi.Resource
) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
    """Make the role.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html

    Args:
        name: Logical name of the role and of its attachment.
        parent: The component that owns the instances.

    Returns:
        The role, and the attachment that instances must depend on: RDS refuses a role that may not publish.
    """
    child = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(
        name,
        description="Lets RDS publish enhanced monitoring",
        assume_role_policy=trust_policy("monitoring.rds.amazonaws.com"),
        tags={"Name": name},
        opts=child,
    )
    return role, aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=_POLICY, opts=child)
