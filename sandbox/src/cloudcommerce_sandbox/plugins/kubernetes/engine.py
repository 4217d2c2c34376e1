"""Messages to the engine: warnings, and progress in the status column."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class Engine:
    """The engine that started the plugin, or nobody when there is no address.

    Args:
        address: Where it listens; the engine's only argument to a plugin.
    """

    def __init__(self, address: str = "") -> None:
        self._stub: Any = None
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._last: dict[str, str] = {}
        if address:
            self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def warn(self, urn: str, message: str) -> None:
        """Show a warning beside a resource."""
        self._send(engine_pb2.WARNING, urn, message)

    def warn_once(self, urn: str, message: str) -> None:
        """Show a warning that concerns many resources beside the first of them."""
        if self._is_news(message):
            self.warn(urn, message)

    def inform(self, urn: str, message: str) -> None:
        """Show a note beside a resource."""
        self._send(engine_pb2.INFO, urn, message)

    def inform_once(self, urn: str, message: str) -> None:
        """Show a note that concerns many resources beside the first of them."""
        if self._is_news(message):
            self.inform(urn, message)

    def progress(self, urn: str, message: str) -> None:
        """Show what a resource waits for, until the next such message; an empty one clears it."""
        with self._lock:
            if self._last.get(urn, "") == message:
                return
            self._last[urn] = message
        self._send(engine_pb2.INFO, urn, message, ephemeral=True)

    def _is_news(self, message: str) -> bool:
        with self._lock:
            is_news = message not in self._told
            self._told.add(message)
            return is_news

    def _send(self, severity: Any, urn: str, message: str, *, ephemeral: bool = False) -> None:
        if self._stub is None:
            return
        # A message that is lost must not fail the work it speaks of.
        with contextlib.suppress(grpc.RpcError):
            self._stub.Log(
                engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral),
                timeout=5,
            )
