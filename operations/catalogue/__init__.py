"""Every kind of resource that the platform puts into AWS and that can be listed."""

from collections.abc import Mapping

from operations.catalogue import cluster, control, network, stores
from operations.catalogue.model import Kind, Status, Thing

KINDS: Mapping[str, Kind] = {
    kind.resource_type: kind for kind in (*network.KINDS, *stores.KINDS, *control.KINDS, *cluster.KINDS)
}
"""Kinds by Pulumi's type."""

__all__ = ["KINDS", "Kind", "Status", "Thing"]
