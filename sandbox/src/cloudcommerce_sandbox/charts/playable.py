"""Helm's post-renderer in the sandbox: leaves out the objects by which the API server would call pods."""

import sys

import yaml

from cloudcommerce_sandbox.charts.rendering import objects_of
from cloudcommerce_sandbox.charts.standin import WITHHELD


def main() -> None:
    """Copy a manifest from standard input to standard output without them."""
    kept = [item for item in objects_of(sys.stdin.read()) if item.get("kind") not in WITHHELD]
    yaml.safe_dump_all(kept, sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()
