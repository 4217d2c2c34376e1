"""YAML manifests as objects, for the SDK's `yaml.ConfigFile` and `yaml.ConfigGroup`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object
from cloudcommerce_sandbox.plugins.provider import ProviderError


def decode(text: str, namespace: str, cluster: Cluster) -> list[Object]:
    """Return the objects of a manifest; lists are taken apart.

    Args:
        text: YAML documents.
        namespace: Where objects go that name no namespace; empty: leave it open.
        cluster: Knows which kinds live in namespaces.

    Raises:
        ProviderError: It is no YAML, or holds something that is no object.
    """
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        message = f"the manifest is no YAML: {error}"
        raise ProviderError(message) from error
    found = [item for document in documents if document is not None for item in _flat(document)]
    if namespace:
        for item in found:
            if cluster.is_namespaced(item["apiVersion"], item["kind"]):
                item.setdefault("metadata", {}).setdefault("namespace", namespace)
    return found


def _flat(document: Any) -> Iterator[Object]:
    if not isinstance(document, dict) or not all(
        isinstance(document.get(key), str) for key in ("apiVersion", "kind")
    ):
        message = f"the manifest holds a {type(document).__name__}, not an object with apiVersion and kind"
        raise ProviderError(message)
    if objects.is_list(document["kind"]) and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _flat(item)
    else:
        yield document
