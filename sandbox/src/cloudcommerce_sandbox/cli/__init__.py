"""The command line `cloudcommerce-sandbox`."""

from cloudcommerce_sandbox.cli.main import main

__all__ = ["main"]
