"""Running a plugin as the process that the engine starts: print a port, serve, leave with the engine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from cloudcommerce_sandbox.plugins.orphan import is_orphan
from cloudcommerce_sandbox.plugins.provider import Provider
from cloudcommerce_sandbox.plugins.servicer import Servicer

_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# The engine runs up to 4 operations a CPU by default; waiting ones hold a thread each.
_THREADS = 128
_ORPHAN_POLL_SECONDS = 1.0


def start(provider: Provider) -> tuple[Any, int]:
    """Serve the provider on a free loopback port.

    Returns:
        The gRPC server and its port.
    """
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=_UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main(provider: Provider) -> None:
    """Serve until the engine says so by signal, or is gone.

    A killed engine sends no signal; its plugin notices that it has another parent and leaves.
    """
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    server, port = start(provider)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not done.wait(_ORPHAN_POLL_SECONDS):
        if is_orphan():
            break
    provider.cancel()
    server.stop(grace=1.0).wait(2.0)
    # Threads of requests that ignore the end must not keep the process.
    os._exit(0)
