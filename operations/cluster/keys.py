"""The natural keys of Kubernetes objects, and whose an object is."""

from collections.abc import Mapping
from typing import Any

from operations.cluster.api import ObjectKey
from operations.state import Resource

PREFIX = "kubernetes:"
RELEASE = "kubernetes:helm.sh/v3:Release"

_OURS = "pulumi"


def is_patch(resource: Resource) -> bool:
    """Tell whether a resource changes an object that something else makes."""
    return resource.resource_type.startswith(PREFIX) and resource.resource_type.endswith("Patch")


def key_of(resource: Resource, namespace: str = "default") -> ObjectKey | None:
    """Return what names the object of a resource.

    Args:
        resource: A record of the `kubernetes` provider; its inputs are those that the provider has checked,
            so that an automatic name is in them.
        namespace: Namespace of objects that name none.

    Returns:
        None when its name or namespace is not known yet, or is none of an object.
    """
    inputs = resource.inputs
    metadata = inputs.get("metadata")
    if not isinstance(metadata, Mapping) or resource.resource_type == RELEASE:
        return None
    api_version, kind = _version_and_kind(resource)
    name, own = metadata.get("name"), metadata.get("namespace", namespace)
    if not isinstance(name, str) or not name or not isinstance(own, str):
        return None
    return ObjectKey(api_version, kind, name, own)


def _version_and_kind(resource: Resource) -> tuple[str, str]:
    _, version, kind = resource.resource_type.split(":")
    api_version = resource.inputs.get("apiVersion") or version.removeprefix("core/")
    return str(api_version), str(resource.inputs.get("kind") or kind)


def is_ours(found: Mapping[str, Any]) -> bool:
    """Tell whether Pulumi made an object: its field managers are called `pulumi-…`, or its label says so."""
    metadata = found["metadata"]
    managers = (str(each.get("manager", "")) for each in metadata.get("managedFields") or ())
    label = (metadata.get("labels") or {}).get("app.kubernetes.io/managed-by")
    return label == _OURS or any(manager.startswith(_OURS) for manager in managers)


def identity(found: Mapping[str, Any]) -> str:
    """Return the id under which Pulumi holds an object: `NAMESPACE/NAME`, or the name alone."""
    metadata = found["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
