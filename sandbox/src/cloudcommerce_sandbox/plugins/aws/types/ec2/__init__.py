"""Amazon EC2 and VPC."""

from cloudcommerce_sandbox.plugins.aws.types.ec2 import (
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
    *endpoints.TYPES,
    *launch_template.TYPES,
)
