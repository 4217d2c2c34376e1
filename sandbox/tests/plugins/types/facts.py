"""What a declaration says, for comparison with the facts that a test states."""

from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import diff, registry


def replacing(pulumi_type: str) -> set[str]:
    """Return the inputs whose change replaces a resource of the type."""
    kind = registry.find(pulumi_type)
    return {name for name in sdk.schema(pulumi_type).inputs if diff.replaces(kind, name)}
