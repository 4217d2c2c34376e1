"""A cluster as the plugin uses it: plain objects in, plain objects out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes import kubeconfig
from cloudcommerce_sandbox.plugins.kubernetes.configuration import Settings
from cloudcommerce_sandbox.plugins.kubernetes.discovery import CLUSTER_SCOPED, Discovery, Resource
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError, NoSuchKindError, UnreachableError
from cloudcommerce_sandbox.plugins.kubernetes.transport import Transport

Object = dict[str, Any]
"""A Kubernetes object as plain values."""

_DEFAULT_NAMESPACE: Final = "default"


class Cluster:
    """The cluster that the provider's configuration names. Connects at first use; safe for many threads.

    Once it was found unreachable it stays so: the next of many resources shall not wait again.

    Args:
        settings: The provider's configuration.
        cancelled: Set when operations shall give up.
    """

    def __init__(self, settings: Settings, cancelled: threading.Event | None = None) -> None:
        self.settings = settings
        self.cancelled = cancelled or threading.Event()
        self._lock = threading.Lock()
        self._config: dict[str, Any] | None = None
        self._discovery: Discovery | None = None
        self._transport: Transport | None = None
        self._failure: UnreachableError | None = None

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """The kubeconfig as an object, for tools that want one.

        Raises:
            UnreachableError: There is none.
        """
        if self._config is None:
            self._config = kubeconfig.load(self.settings.kubeconfig)
        return self._config

    @property
    def default_namespace(self) -> str:
        """Where objects go that name no namespace: the provider's, the context's, else `default`."""
        if self.settings.namespace:
            return self.settings.namespace
        try:
            current = self.settings.context or str(self.kubeconfig.get("current-context") or "")
            context = kubeconfig.entry(self.kubeconfig, "contexts", current) or {}
        except UnreachableError:
            context = {}
        return str(context.get("namespace") or _DEFAULT_NAMESPACE)

    @property
    def unreachable(self) -> str:
        """Why the cluster can't be reached; empty when it can."""
        try:
            self._connect()
        except UnreachableError as error:
            return str(error)
        return ""

    def resource(self, api_version: str, kind: str) -> Resource:
        """Return how a kind is served.

        Raises:
            NoSuchKindError: It is not.
            UnreachableError: The server does not answer.
        """
        return self._connect()[1].find(api_version, kind)

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Whether objects of a kind live in namespaces; a guess when nobody can tell."""
        try:
            return self.resource(api_version, kind).namespaced
        except (NoSuchKindError, UnreachableError):
            return kind not in CLUSTER_SCOPED

    def forget_kinds(self) -> None:
        """Look kinds up anew: a definition was just changed."""
        if self._discovery is not None:
            self._discovery.forget()

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Send any request; see `Transport.request`."""
        return self._connect()[0].request(method, path, **more)

    def take_warnings(self) -> list[str]:
        """Return what the server warned this thread of."""
        return self._transport.take_warnings() if self._transport is not None else []

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object; None when there is none of that name."""
        try:
            return dict(self.request("GET", self.resource(api_version, kind).path(namespace, name)))
        except ApiError as error:
            if error.is_missing:
                return None
            raise

    def find_all(
        self, api_version: str, kind: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects of a kind that match label and field selectors."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        path = self.resource(api_version, kind).path(namespace)
        answer = self.request("GET", path, query={key: text for key, text in query.items() if text})
        return list(answer.get("items") or ())

    def create(self, wanted: Object, *, manager: str, dry_run: bool = False) -> Object:
        """Create an object; never touches one that is there.

        Raises:
            ApiError: The server refused, for example because the name is taken.
        """
        return dict(
            self.request(
                "POST", self._path(wanted, named=False), query=_options(manager, dry_run), body=wanted
            )
        )

    def apply(self, wanted: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Apply an object on the server side: creates it, or merges the fields into what is there.

        Args:
            wanted: The fields that the manager wants to own.
            manager: The field manager.
            force: Take fields from other managers.
            dry_run: Only tell what would come out.

        Raises:
            ApiError: The server refused, for example because another manager owns a field.
        """
        query = {**_options(manager, dry_run), "force": "true" if force else "false"}
        return dict(
            self.request(
                "PATCH",
                self._path(wanted),
                query=query,
                body=wanted,
                content_type="application/apply-patch+yaml",
            )
        )

    def replace(self, wanted: Object, *, manager: str, dry_run: bool = False) -> Object:
        """Put an object in the place of the one that is there, whose `resourceVersion` it carries."""
        query = _options(manager, dry_run)
        return dict(self.request("PUT", self._path(wanted), query=query, body=wanted))

    def patch(self, target: Object, operations: list[dict[str, Any]]) -> Object:
        """Change an object by JSON patch."""
        path = self._path(target)
        return dict(self.request("PATCH", path, body=operations, content_type="application/json-patch+json"))

    def delete(
        self, api_version: str, kind: str, namespace: str, name: str, *, propagation: str = "Foreground"
    ) -> None:
        """Ask for the end of an object; that it is gone is no failure. Does not wait for it."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        try:
            self.request("DELETE", self.resource(api_version, kind).path(namespace, name), body=body)
        except ApiError as error:
            if not error.is_missing:
                raise

    def _path(self, target: Mapping[str, Any], *, named: bool = True) -> str:
        metadata = target["metadata"]
        found = self.resource(target["apiVersion"], target["kind"])
        namespace = metadata.get("namespace") or self.default_namespace
        return found.path(namespace, metadata["name"] if named else "")

    def _connect(self) -> tuple[Transport, Discovery]:
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._transport is None or self._discovery is None:
                try:
                    config = self.kubeconfig
                    transport = Transport(
                        config, self.settings.context, self.settings.cluster, self.cancelled
                    )
                    discovery = Discovery(transport)
                    discovery.warm()
                except UnreachableError as error:
                    self._failure = error
                    raise
                self._transport, self._discovery = transport, discovery
            return self._transport, self._discovery


def _options(manager: str, dry_run: bool) -> dict[str, str]:
    options = {"fieldManager": manager, "fieldValidation": "Strict"}
    return {**options, "dryRun": "All"} if dry_run else options
