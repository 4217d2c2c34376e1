"""Amazon EC2 and VPC."""

from cloudcommerce_sandbox.plugins.aws.types.ec2 import vpc

TYPES = vpc.TYPES
