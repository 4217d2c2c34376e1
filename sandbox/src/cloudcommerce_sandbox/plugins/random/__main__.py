"""Run the `random` plugin: `python -m cloudcommerce_sandbox.plugins.random`."""

from cloudcommerce_sandbox.plugins.random.provider import RandomProvider
from cloudcommerce_sandbox.plugins.server import main

if __name__ == "__main__":
    main(RandomProvider())
