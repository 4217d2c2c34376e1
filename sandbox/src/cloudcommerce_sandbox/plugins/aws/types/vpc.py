"""What Pulumi keeps under `aws:vpc`: security group rules as single resources."""

from cloudcommerce_sandbox.plugins.aws.types.ec2.security_groups import EGRESS_RULE, INGRESS_RULE

TYPES = (INGRESS_RULE, EGRESS_RULE)
