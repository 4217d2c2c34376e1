"""The `kubernetes` provider: ties configuration, cluster and objects together behind the plugin interface."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import (
    check,
    configuration,
    differences,
    lifecycle,
    manifests,
    objects,
    preview,
    refresh,
)
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.kubernetes.engine import Engine
from cloudcommerce_sandbox.plugins.kubernetes.operation import Operation
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import masked
from cloudcommerce_sandbox.plugins.provider import (
    Difference,
    Failure,
    InitializationError,
    Provider,
    ProviderError,
    Request,
    Tree,
)

_T = TypeVar("_T")

_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_DECODE: Final = "kubernetes:yaml:decode"
_DROP: Final = (
    "if the cluster is gone for good, set deleteUnreachable on the provider "
    "or PULUMI_K8S_DELETE_UNREACHABLE=true, which drops its resources from the state"
)


class KubernetesProvider(Provider):
    """Objects of any kind; requests run concurrently.

    It keeps nothing but connections. Whose an object is stands in the object: in its field managers.

    Args:
        engine: Takes messages for the person who runs Pulumi.
    """

    name = "kubernetes"

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine or Engine()
        self._cancelled = threading.Event()
        self._cluster: Cluster | None = None

    @functools.cached_property
    def version(self) -> str:  # type: ignore[override]  # a class attribute elsewhere
        """The version of the installed SDK, whose plugin this one stands in for."""
        distribution = importlib.metadata.distribution("pulumi_kubernetes")
        told = json.loads(distribution.locate_file("pulumi_kubernetes/pulumi-plugin.json").read_text())
        return str(told["version"])

    def check_config(self, inputs: Tree) -> list[Failure]:
        """Refuse settings that would be ignored."""
        return configuration.check(inputs)

    def diff_config(self, old: Tree, new: Tree) -> Difference:
        """Tell whether the provider leads to another cluster: then all its resources are made there anew."""
        return differences.of_configuration(old, new)

    def configure(self, config: Tree) -> None:
        """Take the configuration. Whether the cluster answers shows when it is asked."""
        self._cluster = Cluster(configuration.read(config), self._cancelled)

    @property
    def cluster(self) -> Cluster:
        """The configured cluster."""
        if self._cluster is None:
            message = "the kubernetes provider is not configured"
            raise ProviderError(message)
        return self._cluster

    @functools.cached_property
    def _releases(self) -> Any:
        # Releases bring a templating tool with them, which stacks without charts need not load.
        module = importlib.import_module("cloudcommerce_sandbox.plugins.kubernetes.helm.release")
        return module.ReleaseResource(self.cluster, self._engine)

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Complete inputs: type, name and namespace."""

        def run() -> tuple[Tree, list[Failure]]:
            if self._is_left_alone(request):
                return request.old_inputs, []
            if request.type == _RELEASE:
                found: tuple[Tree, list[Failure]] = self._releases.check(request)
                return found
            return check.complete(request, self.cluster), []

        return self._named(request, run)

    def _is_left_alone(self, request: Request) -> bool:
        cluster = self.cluster
        if not (cluster.settings.skip_update_unreachable and request.old_inputs and cluster.unreachable):
            return False
        self._engine.warn_once(request.urn, f"resources are left as they are: {cluster.unreachable}")
        return True

    def diff(self, request: Request) -> Difference:
        """Compare inputs and tell which differences take a new object."""

        def run() -> Difference:
            if request.type == _RELEASE:
                found: Difference = self._releases.diff(request)
                return found
            return differences.of_object(self._operation(request))

        return self._named(request, run)

    def create(self, request: Request) -> tuple[str, Tree]:
        """Create, or foretell in preview."""

        def run() -> tuple[str, Tree]:
            if request.type == _RELEASE:
                found: tuple[str, Tree] = self._releases.create(request)
                return found
            operation = self._operation(request)
            if request.preview:
                return "", preview.create(operation)
            return lifecycle.create(operation)

        return self._named(request, run)

    def update(self, request: Request) -> Tree:
        """Change in place, or foretell in preview."""

        def run() -> Tree:
            if request.type == _RELEASE:
                found: Tree = self._releases.update(request)
                return found
            operation = self._operation(request)
            return preview.update(operation) if request.preview else lifecycle.update(operation)

        return self._named(request, run)

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Refresh or import."""

        def run() -> tuple[str, Tree, Tree]:
            reason = self.cluster.unreachable
            if reason:
                return self._unreachable_read(request, reason)
            if request.type == _RELEASE:
                found: tuple[str, Tree, Tree] = self._releases.read(request)
                return found
            return refresh.refresh(self._operation(request))

        return self._named(request, run)

    def _unreachable_read(self, request: Request, reason: str) -> tuple[str, Tree, Tree]:
        settings = self.cluster.settings
        if settings.delete_unreachable:
            self._engine.warn_once(request.urn, f"resources are dropped from the state: {reason}")
            return "", {}, {}
        if settings.skip_update_unreachable:
            self._engine.warn_once(request.urn, f"resources are shown as last seen: {reason}")
            return request.id, request.inputs, request.state
        message = f"{reason}; {_DROP}"
        raise ProviderError(message)

    def delete(self, request: Request) -> None:
        """Remove."""

        def run() -> None:
            reason = self.cluster.unreachable
            if reason and self.cluster.settings.delete_unreachable:
                self._engine.warn_once(request.urn, f"resources are dropped from the state: {reason}")
            elif reason:
                message = f"{reason}; {_DROP}"
                raise ProviderError(message)
            elif request.type == _RELEASE:
                self._releases.delete(request)
            else:
                lifecycle.delete(self._operation(request))

        self._named(request, run)

    def invoke(self, token: str, args: Tree) -> tuple[Tree, list[Failure]]:
        """Take a YAML manifest apart."""
        if token != _DECODE:
            raise ProviderError(objects.component_refusal(token))
        given = wire.reveal(args)
        found = manifests.decode(
            str(given.get("text") or ""), str(given.get("defaultNamespace") or ""), self.cluster
        )
        return {"result": found}, []

    def construct(self, token: str) -> NoReturn:
        """Refuse components that render manifests."""
        raise ProviderError(objects.component_refusal(token))

    def cancel(self) -> None:
        """End all waits."""
        self._cancelled.set()
        if "_releases" in self.__dict__:
            self._releases.cancel()

    def _operation(self, request: Request) -> Operation:
        return Operation(request, self.cluster, self._engine)

    def _named(self, request: Request, run: Callable[[], _T]) -> _T:
        """Let every failure name the resource and nothing secret, and pass on what the server warns of."""
        label = f"{request.type} {request.name!r}"
        known = (request.inputs, request.old_inputs, request.state)
        try:
            return run()
        except InitializationError as error:
            reason = masked(str(error), *known, error.state)
            message = f"{label} ({error.resource_id}) exists but is not ready: {reason}"
            raise InitializationError(message, error.resource_id, error.state, error.inputs) from error
        except ProviderError as error:
            where = objects.id_of(request.inputs)
            message = f"{label}{f' ({where})' if where else ''}: {masked(str(error), *known)}"
            raise ProviderError(message) from error
        finally:
            self._pass_warnings(request)

    def _pass_warnings(self, request: Request) -> None:
        if self._cluster is None:
            return
        for warning in self._cluster.take_warnings():
            if not (self._cluster.settings.suppress_deprecation_warnings and "deprecated" in warning):
                self._engine.warn(request.urn, masked(warning, request.inputs))
