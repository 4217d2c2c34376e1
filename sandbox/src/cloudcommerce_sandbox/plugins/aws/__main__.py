"""Run the `aws` plugin: `python -m cloudcommerce_sandbox.plugins.aws`."""

from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider
from cloudcommerce_sandbox.plugins.server import main

if __name__ == "__main__":
    main(AwsProvider())
