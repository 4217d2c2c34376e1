"""Completing a program's inputs: type, name and namespace."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import naming, objects
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import mark
from cloudcommerce_sandbox.plugins.provider import ProviderError, Request, Tree


def complete(request: Request, cluster: Cluster) -> Tree:
    """Return the inputs with type, name and namespace.

    Whether the rest is right, the server tells in the preview's dry run.

    Raises:
        ProviderError: The type is none that can be a resource, or no name can be made.
    """
    api_version, kind = objects.type_of(request)
    if objects.is_list(kind):
        message = "lists exist for manifests and can't be resources; make each of their items one"
        raise ProviderError(message)
    inputs: Tree = {key: _copy(value) for key, value in request.inputs.items() if value is not None}
    inputs.setdefault("apiVersion", api_version)
    inputs.setdefault("kind", kind)
    if isinstance(inputs.get("metadata"), dict):
        inputs = objects.without_read_only(inputs)
    if objects.is_patch(request, inputs):
        _require_name(inputs)
    else:
        naming.assign(request, inputs)
    _place(inputs, cluster)
    completed: Tree = mark(inputs, inputs)
    return completed


def _copy(value: Any) -> Any:
    # Not `copy.deepcopy`: there is only one UNKNOWN.
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _require_name(inputs: Tree) -> None:
    if inputs.get("metadata") is not wire.UNKNOWN and not objects.metadata(inputs).get("name"):
        message = "a patch needs metadata.name: the object whose fields it sets"
        raise ProviderError(message)


def _place(inputs: Tree, cluster: Cluster) -> None:
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(inputs["apiVersion"], str):
        return
    if not cluster.is_namespaced(inputs["apiVersion"], str(inputs["kind"])):
        metadata.pop("namespace", None)
    elif not metadata.get("namespace"):
        metadata["namespace"] = cluster.default_namespace
