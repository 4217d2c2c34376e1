"""The `aws` provider: ties declarations, configuration and AWS together behind the plugin interface."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from cloudcommerce_sandbox.plugins import sdk, wire
from cloudcommerce_sandbox.plugins.aws import (
    check,
    configuration,
    coverage,
    diff,
    invokes,
    lifecycle,
    preview,
    refresh,
    registry,
)
from cloudcommerce_sandbox.plugins.aws.clients import Clients
from cloudcommerce_sandbox.plugins.aws.configuration import Configuration
from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.operation import Operation
from cloudcommerce_sandbox.plugins.provider import (
    Change,
    Difference,
    Failure,
    InitializationError,
    Kind,
    Provider,
    ProviderError,
    Request,
    Tree,
)

_T = TypeVar("_T")


class AwsProvider(Provider):
    """Resources of AWS as declared in `types`; requests run concurrently.

    It keeps nothing but clients and the account id. What it has to remember of a resource is in the engine's
    state: `__defaults` among the inputs and `__pendingCreateSteps` among the outputs of a half-made one.
    """

    name = "aws"

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._configuration: Configuration | None = None
        self._clients: Clients | None = None
        self._account_lock = threading.Lock()
        self._account = ""

    @functools.cached_property
    def version(self) -> str:  # type: ignore[override]  # a class attribute elsewhere
        """The version of the installed SDK, whose plugin this one stands in for."""
        distribution = importlib.metadata.distribution("pulumi_aws")
        told = json.loads(distribution.locate_file("pulumi_aws/pulumi-plugin.json").read_text())
        return str(told["version"])

    def check_config(self, inputs: Tree) -> list[Failure]:
        """Refuse settings that would be ignored."""
        return configuration.check(inputs)

    def configure(self, config: Tree) -> None:
        """Take the configuration; make sure that the account is one the user meant."""
        self._configuration = configuration.read(config)
        self._clients = Clients(self._configuration.account, self._cancelled)
        allowed, forbidden = self._configuration.allowed_accounts, self._configuration.forbidden_accounts
        if (allowed and self.account_id() not in allowed) or self._account in forbidden:
            message = (
                f"the credentials are of account {self.account_id()}, which the configuration does not allow"
            )
            raise ProviderError(message)

    @property
    def clients(self) -> Clients:
        """Access to AWS."""
        if self._clients is None:
            message = "the aws provider is not configured"
            raise ProviderError(message)
        return self._clients

    @property
    def configuration(self) -> Configuration:
        """What the provider was told."""
        if self._configuration is None:
            message = "the aws provider is not configured"
            raise ProviderError(message)
        return self._configuration

    def account_id(self) -> str:
        """The account id, asked for once."""
        with self._account_lock:
            if not self._account:
                region = self.clients.default_region
                self._account = self.clients.call("sts", region, "get_caller_identity", {})["Account"]
            return self._account

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Complete and validate inputs."""

        def run() -> tuple[Tree, list[Failure]]:
            kind = registry.find(request.type)
            inputs, failures = check.check(kind, request)
            if kind.tags is not None and not failures:
                self._put_all_tags(inputs)
            return inputs, failures

        return self._named(request, run)

    def _put_all_tags(self, inputs: Tree) -> None:
        """Make default tags part of the inputs, so that a change of theirs shows as a difference."""
        given = inputs.get("tags")
        is_secret = isinstance(given, wire.Secret)
        own = given.value if isinstance(given, wire.Secret) else given
        if own is wire.UNKNOWN:
            inputs["tagsAll"] = given
            return
        everything = self.configuration.tags.all_tags(own)
        if everything:
            inputs["tagsAll"] = wire.Secret(everything) if is_secret else everything

    def diff(self, request: Request) -> Difference:
        """Compare inputs; then what the provider's own setting changes: the region."""

        def run() -> Difference:
            kind = registry.find(request.type)
            found = diff.compare(kind, request)
            _refuse_unchangeable(kind, found)
            self._add_region(request, found)
            return found

        return self._named(request, run)

    def _add_region(self, request: Request, found: Difference) -> None:
        before, after = request.state.get("region"), wire.reveal(request.inputs.get("region"))
        wanted = after or self.clients.default_region
        if before and "region" in sdk.schema(request.type).inputs and wanted != before:
            found.changes["region"] = Change(Kind.UPDATE, replace=True, computed=after is None)

    def create(self, request: Request) -> tuple[str, Tree]:
        """Create, or foretell in preview."""

        def run() -> tuple[str, Tree]:
            operation = self._operation(request)
            policy = self.configuration.tags
            if request.preview:
                return "", preview.create(operation, policy)
            return lifecycle.create(operation, policy)

        resource_id, outputs = self._named(request, run)
        return resource_id, _keep_secrets(request, outputs)

    def update(self, request: Request) -> Tree:
        """Change in place, or foretell in preview."""

        def run() -> Tree:
            operation = self._operation(request)
            policy = self.configuration.tags
            return (
                preview.update(operation, policy) if request.preview else lifecycle.update(operation, policy)
            )

        return _keep_secrets(request, self._named(request, run))

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Refresh or import."""

        def run() -> tuple[str, dict[str, Any], dict[str, Any]] | None:
            operation = self._operation(request)
            operation.old_inputs = {}
            found = refresh.refresh(operation, self.configuration.tags)
            return found and (operation.id, *found)

        found = self._named(request, run)
        if found is None:
            return "", {}, {}
        resource_id, inputs, outputs = found
        return resource_id, _wrap_inputs(request, inputs), _keep_secrets(request, outputs)

    def delete(self, request: Request) -> None:
        """Remove."""

        def run() -> None:
            operation = self._operation(request)
            operation.old_inputs = {}
            if not operation.state:
                lifecycle.parse_id(operation)
            lifecycle.delete(operation)

        self._named(request, run)

    def invoke(self, token: str, args: Tree) -> tuple[Tree, list[Failure]]:
        """Run a function such as `getCallerIdentity`."""
        return invokes.invoke(self, token, wire.reveal(args)), []

    def cancel(self) -> None:
        """End all waits."""
        self._cancelled.set()

    def _operation(self, request: Request) -> Operation:
        state = wire.reveal(request.state)
        inputs = {name: value for name, value in wire.reveal(request.inputs).items() if value is not None}
        region = inputs.get("region") or (state.get("region") if request.id else None)
        if not isinstance(region, str):
            region = self.clients.default_region
        return Operation(
            kind=registry.find(request.type),
            clients=self.clients,
            region=region,
            account_id=self.account_id,
            id=request.id,
            inputs=inputs,
            old_inputs=wire.reveal(request.old_inputs),
            state=state,
            timeout=request.timeout,
        )

    @staticmethod
    def _named(request: Request, run: Callable[[], _T]) -> _T:
        """Let every failure name the resource."""
        label = f"{request.type} {request.name!r}"
        try:
            return run()
        except InitializationError as error:
            message = f"{label} ({error.resource_id}) exists but is not complete: {error}"
            state = _keep_secrets(request, error.state)
            raise InitializationError(message, error.resource_id, state) from error
        except ProviderError as error:
            message = f"{label}: {error}"
            raise ProviderError(message) from error


def _refuse_unchangeable(kind: ResourceType, found: Difference) -> None:
    """Refuse in preview what an update would silently not do."""
    if any(change.replace for change in found.changes.values()):
        return
    tops = {path.partition(".")[0].partition("[")[0] for path in found.changes}
    stuck = sorted(tops & coverage.unchangeable(kind))
    if stuck:
        message = f"the sandbox does not implement a change of {', '.join(stuck)}; replace the resource"
        raise ProviderError(message)


def _keep_secrets(request: Request, outputs: Tree) -> Tree:
    """Mark every output secret that was given as a secret, holds one, or is declared to be one."""
    kind = registry.find(request.type)
    sources = {**request.state, **request.inputs}
    secret = {name for name, value in sources.items() if wire.has_secret(value)}
    secret |= {path for path, field in kind.fields.items() if field.secret and "." not in path}
    if "tags" in secret:
        secret.add("tagsAll")
    return {name: wire.Secret(value) if name in secret else value for name, value in outputs.items()}


def _wrap_inputs(request: Request, inputs: Tree) -> Tree:
    """Return refreshed inputs with the wrapping they had, so that nothing secret becomes readable."""
    wrapped: Tree = {}
    for name, value in inputs.items():
        old = request.inputs.get(name)
        if wire.has_secret(old):
            wrapped[name] = old if wire.reveal(old) == value else wire.Secret(value)
        else:
            wrapped[name] = value
    return wrapped
