"""Amazon EC2 and VPC."""

from cloudcommerce_sandbox.plugins.aws.types.ec2 import (
    classic_rules,
    endpoints,
    gateways,
    launch_template,
    routing,
    security_groups,
    vpc,
)

TYPES = (
    *vpc.TYPES,
    *gateways.TYPES,
    *routing.TYPES,
    *security_groups.TYPES,
    *classic_rules.TYPES,
    *endpoints.TYPES,
    *launch_template.TYPES,
)
