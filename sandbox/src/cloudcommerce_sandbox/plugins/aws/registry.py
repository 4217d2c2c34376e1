"""Finding the declaration of a resource type; only the module of its service is imported."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import keyword
import pkgutil
import threading

from cloudcommerce_sandbox.plugins.aws import types
from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.provider import ProviderError

# Modules import each other, and Python gives a thread a half-loaded one rather than let two threads block.
_importing = threading.Lock()


def find(token: str) -> ResourceType:
    """Return the declaration of a Pulumi type.

    Raises:
        ProviderError: The sandbox does not implement the type.
    """
    declared = _declared(token.split(":")[1].partition("/")[0])
    if token not in declared:
        message = (
            f"the sandbox does not implement {token}: declare it in its plugins/aws/types, "
            "or leave the resource out of the stack"
        )
        raise ProviderError(message)
    return declared[token]


@functools.cache
def _declared(service: str) -> dict[str, ResourceType]:
    name = f"{types.__name__}.{service}{'_' * keyword.iskeyword(service)}"
    with _importing:
        if importlib.util.find_spec(name) is None:
            return {}
        module = importlib.import_module(name)
    return {kind.pulumi_type: kind for kind in module.TYPES}


def every() -> list[ResourceType]:
    """Return all declared types, for tests and documentation."""
    services = [module.name.rstrip("_") for module in pkgutil.iter_modules(types.__path__)]
    return [kind for service in sorted(services) for kind in _declared(service).values()]
