"""One operation on one object, with all it needs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import crd_fields, objects, ownership
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object
from cloudcommerce_sandbox.plugins.kubernetes.engine import Engine
from cloudcommerce_sandbox.plugins.kubernetes.errors import NoSuchKindError, UnreachableError
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import mark, masked
from cloudcommerce_sandbox.plugins.provider import Request, Tree

INPUTS = "__inputs"
INITIAL_VERSION = "__initialApiVersion"
"""Outputs that the official provider keeps in its state, so that either plugin can go on with the other's."""


@dataclass(frozen=True)
class Operation:
    """A request with its surroundings."""

    request: Request
    cluster: Cluster
    engine: Engine

    @property
    def wanted(self) -> Object:
        """The object that the inputs ask for, as the server takes it."""
        return self._placed(self._given)

    @functools.cached_property
    def _given(self) -> Object:
        return _complete(crd_fields.to_server(wire.reveal(self.request.inputs)), self.request)

    @functools.cached_property
    def state(self) -> Object:
        """The live object as last seen, without the plugin's own outputs."""
        value = crd_fields.to_server(wire.reveal(self.request.state))
        return {key: item for key, item in value.items() if not key.startswith("__")}

    @property
    def is_patch(self) -> bool:
        """Whether only some fields of somebody else's object are ours."""
        return objects.is_patch(self.request, self.wanted)

    @property
    def manager(self) -> str:
        """The field manager."""
        return ownership.manager(self.request, self.wanted)

    @property
    def force(self) -> bool:
        """Whether fields are taken from other managers."""
        return self.cluster.settings.force or objects.is_true(self.wanted, objects.PATCH_FORCE)

    def tell(self, message: str) -> None:
        """Show what the resource waits for."""
        self.engine.progress(self.request.urn, self._masked(message))

    def inform(self, message: str) -> None:
        """Show a note beside the resource."""
        self.engine.inform(self.request.urn, self._masked(message))

    def inform_once(self, message: str) -> None:
        """Show a note that concerns other resources too, unless one of them has shown it."""
        self.engine.inform_once(self.request.urn, self._masked(message))

    def warn(self, message: str) -> None:
        """Show a warning beside the resource."""
        self.engine.warn(self.request.urn, self._masked(message))

    def _masked(self, message: str) -> str:
        return masked(message, self.request.inputs, self.request.state)

    def outputs(self, live: Object, inputs: Tree | None = None) -> Tree:
        """Return the outputs for a live object, with everything secret marked.

        Args:
            live: The object.
            inputs: The inputs it belongs to, when they are not the request's.
        """
        given = self.request.inputs if inputs is None else inputs
        marked: Tree = mark(crd_fields.to_sdk(live), given)
        version = self.request.state.get(INITIAL_VERSION) or live.get("apiVersion")
        return {
            **marked,
            INPUTS: mark(given, given),
            INITIAL_VERSION: version,
            ownership.MANAGER: self.manager,
        }

    def find(self, value: Object | None = None) -> Object | None:
        """Return the live object that has the identity of a value, by default of the wanted object."""
        value = self.wanted if value is None else value
        return self.cluster.get(
            value["apiVersion"], value["kind"], objects.namespace(value), objects.name(value)
        )

    def _placed(self, value: Object) -> Object:
        """Correct the namespace now that the server tells where the kind lives."""
        metadata = value.get("metadata")
        if not isinstance(metadata, dict):
            return value
        try:
            namespaced = self.cluster.resource(value["apiVersion"], value["kind"]).namespaced
        except (NoSuchKindError, UnreachableError):
            return value
        if namespaced:
            namespace = metadata.get("namespace") or self.cluster.default_namespace
            return {**value, "metadata": {**metadata, "namespace": namespace}}
        return {
            **value,
            "metadata": {key: item for key, item in metadata.items() if key != "namespace"},
        }


def _complete(value: Any, request: Request) -> Object:
    """Add the type that a state or an import need not tell."""
    if value.get("apiVersion") and value.get("kind"):
        return dict(value)
    api_version, kind = objects.type_of(request)
    return {"apiVersion": api_version, "kind": kind, **value}
