"""A program that declares a release of the example chart."""

from collections.abc import Callable
from typing import Any

from sandbox.tests.plugins.kubernetes.resource import Resource

Release = Callable[..., Resource]


def program(namespace: str, name: str = "shop", **inputs: Any) -> dict[str, Any]:
    """Return the inputs of a program: the example chart without what another chart would have to bring."""
    values = {"monitor": False, "migrate": False, **inputs.pop("values", {})}
    wanted = {"chart": "shop", "version": "1.2.3", "name": name, "namespace": namespace, "timeout": 40}
    return {**wanted, "values": values, **inputs}
