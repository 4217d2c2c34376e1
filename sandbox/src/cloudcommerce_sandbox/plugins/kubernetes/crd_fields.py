"""Extension fields of schemas, whose names the SDK writes with underscores and Kubernetes with dashes."""

from __future__ import annotations

from typing import Any, Final

_DASHED: Final = {
    f"x_kubernetes_{tail}": f"x-kubernetes-{tail.replace('_', '-')}"
    for tail in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
"""https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/"""

_UNDERSCORED: Final = {dashed: underscored for underscored, dashed in _DASHED.items()}


def to_server(value: Any) -> Any:
    """Return the value with the names that the server knows."""
    return _renamed(value, _DASHED)


def to_sdk(value: Any) -> Any:
    """Return the value with the names that the SDK knows."""
    return _renamed(value, _UNDERSCORED)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value
