"""Objects that a controller makes, changes, and takes away when they are no longer wanted.

An object is its controller's by a label, and carries a digest of what was applied. As long as both hold it is
left alone: people may change it, as they may change what EKS puts into a cluster, until EKS updates it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.api import ClusterApi

Manifest = dict[str, Any]
_Key = tuple[str, str, str, str]

_MANAGED_BY = "app.kubernetes.io/managed-by"
_DIGEST = "sandbox.cloudcommerce.dev/digest"


class Owned:
    """All objects of one owner in a cluster.

    Args:
        owner: Who they belong to; also the field manager.
        kinds: The API versions and kinds that the owner makes, in the order in which they can be created.
            They are taken away in the reverse order.
    """

    def __init__(self, owner: str, kinds: Iterable[tuple[str, str]]) -> None:
        self._manager = f"cloudcommerce-sandbox-{owner}"
        self._kinds = tuple(kinds)

    def converge(self, api: ClusterApi, wanted: Iterable[Manifest]) -> None:
        """Make the owner's objects those that are wanted.

        Args:
            api: The cluster.
            wanted: The objects, in any order.

        Raises:
            ApiException: The server refuses one of them.
        """
        found = self.find(api)
        manifests = list(wanted)
        self.apply(api, manifests, found)
        self.remove(api, manifests, found)

    def find(self, api: ClusterApi) -> dict[_Key, Manifest]:
        """Return the owner's objects as they are."""
        return {
            key_of(manifest): manifest
            for api_version, kind in self._kinds
            for item in api.list(api_version, kind, labels=f"{_MANAGED_BY}={self._manager}")
            for manifest in [{**item, "apiVersion": api_version, "kind": kind}]
        }

    def apply(
        self, api: ClusterApi, wanted: Iterable[Manifest], found: Mapping[_Key, Manifest]
    ) -> list[Manifest]:
        """Create and change objects, in the order of the owner's kinds.

        Args:
            api: The cluster.
            wanted: The objects, in any order.
            found: What `find` returned.

        Returns:
            The objects with their status, as found or as applied.

        Raises:
            ApiException: The server refuses one of them.
        """
        in_order = sorted(wanted, key=lambda item: self._kinds.index((item["apiVersion"], item["kind"])))
        return [self._applied(api, self._marked(item), found.get(key_of(item))) for item in in_order]

    def remove(
        self, api: ClusterApi, wanted: Iterable[Manifest], found: Mapping[_Key, Manifest]
    ) -> list[Manifest]:
        """Delete the owner's objects that are not wanted, in the reverse order of its kinds.

        Args:
            api: The cluster.
            wanted: The objects that stay.
            found: What `find` returned.

        Returns:
            What was deleted, or is about to be.
        """
        stay = {key_of(manifest) for manifest in wanted}
        gone = [found[key] for key in reversed(list(found)) if key not in stay]
        for manifest in gone:
            metadata = manifest["metadata"]
            api.delete(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))
        return gone

    def _applied(self, api: ClusterApi, manifest: Manifest, found: Manifest | None) -> Manifest:
        digest = manifest["metadata"]["annotations"][_DIGEST]
        if found is not None and (found["metadata"].get("annotations") or {}).get(_DIGEST) == digest:
            return found
        return api.apply(manifest, manager=self._manager)

    def _marked(self, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        return {
            **manifest,
            "metadata": {
                **metadata,
                "labels": {**metadata.get("labels", {}), _MANAGED_BY: self._manager},
                "annotations": {**metadata.get("annotations", {}), _DIGEST: digest(manifest)},
            },
        }


def digest(content: Mapping[str, Any]) -> str:
    """Return a short text that differs when the content does."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def key_of(manifest: Mapping[str, Any]) -> _Key:
    """Return what an object is known by: API version, kind, namespace and name."""
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace") or "", metadata["name"]
