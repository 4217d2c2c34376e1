"""The production program up to the cluster.

A control plane takes as long to start with components as without: that would hide what they cost.
"""

import pulumi

from infra import program
from infra.settings import Settings
from stacks.data import data
from stacks.foundation import foundation
from stacks.watch import watch

settings = program.load_settings()
if not isinstance(settings, Settings):
    raise pulumi.RunError("the benchmark measures production")
provider = program.aws_provider(settings)
args = program.production_args(settings, program.caller(provider))
opts = pulumi.ResourceOptions(provider=provider)
base = foundation(args, opts)
stores = data(base, args, opts)
watch(base, stores, args, opts)
