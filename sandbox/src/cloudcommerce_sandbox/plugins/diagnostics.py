"""What a plugin tells the person who runs Pulumi while it works: warnings and progress, by the engine."""

from __future__ import annotations

import contextlib
import threading

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from cloudcommerce_sandbox.plugins.provider import Diagnostics

_SECONDS = 5.0


class EngineDiagnostics(Diagnostics):
    """Tells the engine, which shows it beside the resource.

    Args:
        address: Where the engine listens: the plugin's first command line argument.
    """

    def __init__(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
        self._lock = threading.Lock()
        self._warned: set[tuple[str, str]] = set()

    def warn(self, message: str, urn: str = "") -> None:
        """Show a warning, once a run for each resource."""
        with self._lock:
            if (urn, message) in self._warned:
                return
            self._warned.add((urn, message))
        self._log(message, urn, engine_pb2.WARNING, ephemeral=False)

    def progress(self, message: str, urn: str = "") -> None:
        """Show what is being waited for, until the next message takes its place."""
        self._log(message, urn, engine_pb2.INFO, ephemeral=True)

    def _log(self, message: str, urn: str, severity: int, *, ephemeral: bool) -> None:
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        # An engine that is going away must not make the operation fail.
        with contextlib.suppress(grpc.RpcError):
            self._engine.Log(request, timeout=_SECONDS)
