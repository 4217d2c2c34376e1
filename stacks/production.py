"""Production: foundation → data. Each step takes what the steps before it made and returns a frozen value."""

from dataclasses import dataclass

import pulumi

from stacks.foundation import Foundation, foundation
from stacks.production_args import ProductionArgs


@dataclass(frozen=True, kw_only=True)
class Production:
    """Everything that stands in production."""

    foundation: Foundation


def production(args: ProductionArgs, opts: pulumi.ResourceOptions) -> Production:
    """Compose the production stack.

    Args:
        args: Sizes, zones and protection.
        opts: Carries the AWS provider, and with it region, account and default tags.
    """
    base = foundation(args, opts)
    return Production(foundation=base)
