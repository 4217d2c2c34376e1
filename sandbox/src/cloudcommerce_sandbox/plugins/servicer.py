"""Pulumi's gRPC protocol in front of a `Provider`."""

from __future__ import annotations

import functools
import json
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from cloudcommerce_sandbox.plugins.provider import (
    Change,
    Failure,
    InitializationError,
    Naming,
    Provider,
    ProviderError,
    Request,
    Tree,
)
from cloudcommerce_sandbox.plugins.wire import Secret, decode, encode, has_secret

_Kind = provider_pb2.PropertyDiff.Kind


def _failures(failures: Iterable[Failure], inputs: Tree) -> list[Any]:
    return [_failure(failure, secret=has_secret(inputs.get(_top(failure.path)))) for failure in failures]


def _failure(failure: Failure, *, secret: bool) -> Any:
    # The engine prints the value of the property that it is told, and a secret one in plain text.
    if secret:
        return provider_pb2.CheckFailure(reason=f"{failure.path}: {failure.reason}")
    return provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)


def _property_diff(change: Change) -> Any:
    kind = f"{change.kind.value}_REPLACE" if change.replace else change.kind.value
    return provider_pb2.PropertyDiff(kind=_Kind.Value(kind), inputDiff=not change.computed)


def _parse_config(config: dict[str, Any]) -> dict[str, Any]:
    """Undo the engine's JSON-encoding of nested provider configuration."""
    return {key: _parse_text(value) for key, value in config.items()}


def _parse_text(value: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_parse_text(value.value))
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _guarded(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Turn whatever a request raises into the protocol's answer."""

    @functools.wraps(method)
    def run(servicer: Any, request: Any, context: Any) -> Any:
        try:
            return method(servicer, request)
        except Exception as error:  # noqa: BLE001 - the boundary to the engine
            _abort(context, error)

    return run


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one `Provider`. Requests run concurrently on the server's thread pool."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def Handshake(self, _request: Any, _context: Any) -> Any:
        """Tell the engine what we understand."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        """Return the version of the SDK that this plugin stands in for."""
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, _request: Any, _context: Any) -> Any:
        """Return the least schema the engine takes: the SDKs are already generated."""
        schema = {"name": self._provider.name, "version": self._provider.version}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    @_guarded
    def CheckConfig(self, request: Any) -> Any:
        """Validate the provider's configuration."""
        inputs = _parse_config(decode(request.news))
        failures = self._provider.check_config(inputs)
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures, inputs))

    @_guarded
    def DiffConfig(self, request: Any) -> Any:
        """Report changed configuration, and whether it leads to another place."""
        old, new = _parse_config(decode(request.old_inputs)), _parse_config(decode(request.news))
        found = self._provider.diff_config(old, new).changes
        changes = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key, change in found.items() if change.replace]
        return provider_pb2.DiffResponse(changes=changes, diffs=list(found), replaces=replaces)

    @_guarded
    def Configure(self, request: Any) -> Any:
        """Hand the configuration to the provider."""
        self._provider.configure(_parse_config(decode(request.args)))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    @_guarded
    def Check(self, request: Any) -> Any:
        """Complete and validate inputs."""
        naming = Naming()
        if request.HasField("autonaming"):
            mode = provider_pb2.CheckRequest.AutonamingOptions.Mode.Name(request.autonaming.mode)
            naming = Naming(request.autonaming.proposed_name, mode)
        ask = Request(
            urn=request.urn,
            inputs=decode(request.news),
            old_inputs=decode(request.olds),
            seed=request.randomSeed,
            naming=naming,
        )
        inputs, failures = self._provider.check(ask)
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=_failures(failures, ask.inputs))

    @_guarded
    def Diff(self, request: Any) -> Any:
        """Compare state and inputs."""
        ask = Request(
            urn=request.urn,
            id=request.id,
            inputs=decode(request.news),
            old_inputs=decode(request.old_inputs),
            state=decode(request.olds),
            ignore_changes=tuple(request.ignoreChanges),
        )
        difference = self._provider.diff(ask)
        changes = difference.changes
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({_top(path) for path in changes}),
            replaces=sorted(path for path, change in changes.items() if change.replace),
            deleteBeforeReplace=difference.delete_before_replace,
            detailedDiff={path: _property_diff(change) for path, change in changes.items()},
            hasDetailedDiff=True,
        )

    @_guarded
    def Create(self, request: Any) -> Any:
        """Create, or tell in preview what would come out."""
        ask = Request(
            urn=request.urn,
            inputs=decode(request.properties),
            timeout=request.timeout,
            preview=request.preview,
        )
        resource_id, state = self._provider.create(ask)
        return provider_pb2.CreateResponse(id=resource_id, properties=encode(state))

    @_guarded
    def Read(self, request: Any) -> Any:
        """Refresh (inputs and state given) or import (only the id given)."""
        ask = Request(
            urn=request.urn,
            id=request.id,
            inputs=decode(request.inputs),
            old_inputs=decode(request.inputs),
            state=decode(request.properties),
            timeout=request.timeout,
        )
        resource_id, inputs, state = self._provider.read(ask)
        if not resource_id:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=resource_id, inputs=encode(inputs), properties=encode(state))

    @_guarded
    def Update(self, request: Any) -> Any:
        """Change in place, or tell in preview what would come out."""
        ask = Request(
            urn=request.urn,
            id=request.id,
            inputs=decode(request.news),
            old_inputs=decode(request.old_inputs),
            state=decode(request.olds),
            timeout=request.timeout,
            preview=request.preview,
            ignore_changes=tuple(request.ignoreChanges),
        )
        state = self._provider.update(ask)
        return provider_pb2.UpdateResponse(properties=encode(state))

    @_guarded
    def Delete(self, request: Any) -> Any:
        """Remove the resource."""
        old_inputs = decode(request.old_inputs)
        ask = Request(
            urn=request.urn,
            id=request.id,
            inputs=old_inputs,
            old_inputs=old_inputs,
            state=decode(request.properties),
            timeout=request.timeout,
        )
        self._provider.delete(ask)
        return empty_pb2.Empty()

    @_guarded
    def Invoke(self, request: Any) -> Any:
        """Run a function of the provider."""
        arguments = decode(request.args)
        result, failures = self._provider.invoke(request.tok, arguments)
        return provider_pb2.InvokeResponse(
            **{"return": encode(result)}, failures=_failures(failures, arguments)
        )

    @_guarded
    def Construct(self, request: Any) -> Any:
        """Make a component."""
        return self._provider.construct(request.type)

    def Cancel(self, _request: Any, _context: Any) -> Any:
        """End waits early."""
        self._provider.cancel()
        return empty_pb2.Empty()


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _abort(context: Any, error: Exception) -> NoReturn:
    """End the call with a message, and with the half-made resource if there is one."""
    if isinstance(error, InitializationError):
        detail = any_pb2.Any()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=error.resource_id,
                properties=encode(error.state),
                reasons=[str(error)],
                inputs=encode(error.inputs or {}),
            )
        )
        code = grpc.StatusCode.UNKNOWN.value[0]
        status = status_pb2.Status(code=code, message=str(error), details=[detail])
        # The metadata key under which gRPC's richer error model travels: https://grpc.io/docs/guides/error/
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    if isinstance(error, ProviderError):
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    frames = "".join(traceback.format_tb(error.__traceback__)[-4:])
    context.abort(
        grpc.StatusCode.INTERNAL, f"defect in the plugin: {type(error).__name__}: {error}\n{frames}"
    )
    raise error
