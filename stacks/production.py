"""Production: foundation → data → platform → watch. Each step takes what the steps before it made."""

from dataclasses import dataclass

import pulumi

from stacks.data import Data, data
from stacks.foundation import Foundation, foundation
from stacks.platform import Platform, platform
from stacks.production_args import ProductionArgs
from stacks.watch import Watch, watch


@dataclass(frozen=True, kw_only=True)
class Production:
    """Everything that stands in production.

    Attributes:
        args: What the stack was told.
        foundation: Network, keys and images.
        data: Stores and broker.
        platform: The cluster and what stands in it.
        watch: Alarms.
    """

    args: ProductionArgs
    foundation: Foundation
    data: Data
    platform: Platform
    watch: Watch


def production(args: ProductionArgs, opts: pulumi.ResourceOptions) -> Production:
    """Compose the production stack.

    Args:
        args: Sizes, zones and protection.
        opts: Carries the AWS provider, and with it region, account and default tags.
    """
    base = foundation(args, opts)
    stores = data(base, args, opts)
    return Production(
        args=args,
        foundation=base,
        data=stores,
        platform=platform(base, args, opts),
        watch=watch(base, stores, args, opts),
    )
