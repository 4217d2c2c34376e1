"""Who executes a resource in the sandbox: moto, our additions to it, a real API server, or the plugin alone.

Both sides are read off the running code: the operations by which the `aws` plugin makes a type, and those
that the emulator says are ours.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from botocore import xform_name

from cloudcommerce_sandbox.plugins.aws.declaration import Call, ResourceType
from cloudcommerce_sandbox.plugins.aws.registry import find
from cloudcommerce_sandbox.plugins.provider import ProviderError

# Words for each executor, in the order in which the summary names them.
WORDS = {
    "moto": "by moto",
    "ours": "by our additions to moto",
    "cluster": "by a real Kubernetes API server",
    "plugin": "by the plugin alone (random values)",
}


def count_executors(types: Iterable[str], provenance: Mapping[str, Any]) -> Counter[str]:
    """Count resources by who executes them.

    Args:
        types: The Pulumi type of each resource.
        provenance: What the emulator's control API says about whose its operations are.

    Returns:
        Counts under the keys of `WORDS`.
    """
    ours = {
        (service, xform_name(operation))
        for service, parts in provenance.get("services", {}).items()
        for operation in (*parts.get("added", ()), *parts.get("corrected", ()))
    }
    return Counter(_executor(kind, ours) for kind in types)


def _executor(kind: str, ours: set[tuple[str, str]]) -> str:
    if kind.startswith("kubernetes:"):
        return "cluster"
    if not kind.startswith("aws:"):
        return "plugin"
    try:
        declared = find(kind)
    except ProviderError:
        return "moto"  # the official plugin knows types that ours does not
    return "ours" if any(operation in ours for operation in _creating(declared)) else "moto"


def _creating(declared: ResourceType) -> Iterable[tuple[str, str]]:
    """Yield the service and operation of the step that makes a resource; the later ones only complete it."""
    step = declared.create[0]
    if isinstance(step, Call):
        service = step.service or declared.service
        yield service, step.operation
        if service == "docdb":
            # moto serves DocumentDB from its RDS backend, and so do our additions.
            yield "rds", step.operation
