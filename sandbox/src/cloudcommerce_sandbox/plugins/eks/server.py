"""The plugin as a process: the SDK's server for components, with our checks in front of it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import signal
import sys
from typing import Any, Final

import grpc
import grpc.aio
import pulumi
import pulumi_eks
from google.protobuf import empty_pb2
from pulumi.errors import InputPropertyErrorDetails
from pulumi.provider import CallResult, ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.eks import checks, kubeconfig
from cloudcommerce_sandbox.plugins.eks.addons import Addon
from cloudcommerce_sandbox.plugins.eks.cluster import Cluster
from cloudcommerce_sandbox.plugins.eks.values import compact_json

_UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_ORPHAN_POLL_SECONDS: Final = 1.0
_GET_KUBECONFIG: Final = "eks:index:Cluster/getKubeconfig"


def _version() -> str:
    distribution = importlib.metadata.distribution("pulumi_eks")
    told = distribution.locate_file("pulumi_eks/pulumi-plugin.json").read_text()
    return str(json.loads(told)["version"])


class EksProvider(Provider):
    """The components of `pulumi_eks` that the sandbox implements."""

    def __init__(self) -> None:
        version = _version()
        super().__init__(version, json.dumps({"name": "eks", "version": version}))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Any,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component whose inputs have been checked."""
        opts = options or pulumi.ResourceOptions()
        if resource_type == checks.ADDON:
            addon = Addon(name, inputs, opts)
            return ConstructResult(urn=addon.urn, state={"addon": addon.addon})
        cluster = Cluster(name, inputs, opts)
        return ConstructResult(urn=cluster.urn, state=cluster.state)

    def call(self, token: str, args: Any) -> CallResult:
        """Run `Cluster.get_kubeconfig`."""
        if token != _GET_KUBECONFIG:
            message = f"the sandbox's eks plugin does not implement {token}; it has {_GET_KUBECONFIG}"
            raise ValueError(message)
        component: pulumi_eks.Cluster = args["__self__"]
        credentials = {name: args.get(name) for name in ("roleArn", "profileName")}
        cluster: pulumi.Output[Any] = component.eks_cluster
        made: pulumi.Output[Any] = cluster.apply(
            lambda known: kubeconfig.of_cluster(known, credentials, with_profile=True)
        )
        return CallResult(outputs={"result": made.apply(compact_json)})

    def cancel(self) -> None:
        """Nothing here waits but for the engine, which is the one that cancels."""


class EksServicer(ProviderServicer):
    """Refuses wrong inputs by their path; tells any other failure without the plugin's own stack."""

    async def Construct(self, request: Any, context: Any) -> Any:
        """Check the inputs, then register the component and its children."""
        if problem := _unusable(request.type):
            await context.abort(grpc.StatusCode.UNKNOWN, problem)
        if failures := checks.failures(request.type, wire.decode(request.inputs)):
            details = [
                InputPropertyErrorDetails(property_path=one.path, reason=one.reason) for one in failures
            ]
            await context.abort_with_status(self.create_grpc_invalid_properties_status("", details))
        async with self.lock:
            try:
                return await self._construct(request, context)
            except Exception as error:  # noqa: BLE001 - the boundary to the engine
                await context.abort(grpc.StatusCode.UNKNOWN, f"{request.type} {request.name!r}: {error}")

    async def Call(self, request: Any, context: Any) -> Any:
        """Run a method of a component."""
        async with self.lock:
            try:
                return await self._call(request, context)
            except Exception as error:  # noqa: BLE001 - the boundary to the engine
                await context.abort(grpc.StatusCode.UNKNOWN, f"{request.tok}: {error}")

    async def CheckConfig(self, request: Any, _context: Any) -> Any:
        """Take any configuration: there is none."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, _request: Any, _context: Any) -> Any:
        """Tell that no configuration makes a difference."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Cancel(self, _request: Any, _context: Any) -> Any:
        """Answer the engine, which ends the plugin afterwards."""
        return empty_pb2.Empty()


def _unusable(component: str) -> str:
    """Return why no component of this type can be made here; "" when it can."""
    if component not in (checks.CLUSTER, checks.ADDON):
        return (
            f"the sandbox's eks plugin does not implement {component}; it has {checks.CLUSTER} and "
            f"{checks.ADDON}. Use the types of pulumi_aws in its place"
        )
    return checks.machine_failure()


def main() -> None:
    """Serve until the engine says so by signal, or is gone."""
    asyncio.run(_serve(sys.argv[1] if len(sys.argv) > 1 else ""))
    # Threads of requests that ignore the end must not keep the process.
    os._exit(0)


async def _serve(engine: str) -> None:
    parent, done = os.getppid(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    server = grpc.aio.server(options=_UNLIMITED)
    servicer = EksServicer(EksProvider(), sys.argv[1:], engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not done.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(done.wait(), _ORPHAN_POLL_SECONDS)
        except TimeoutError:
            continue
    await server.stop(grace=0.5)
