"""Serve one engine: `python -m cloudcommerce_sandbox.language_host [flags] ENGINE_ADDRESS`."""

import os
import signal
import sys
import threading
from concurrent import futures
from types import FrameType

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2_grpc

from cloudcommerce_sandbox.language_host.lifetime import call_when_orphaned
from cloudcommerce_sandbox.language_host.server import LanguageHost

_WORKERS = 16  # Each running program, policy pack and provider holds one thread for as long as it lives.


def main(arguments: list[str]) -> int:
    """Serve until the engine closes us, goes away, or a signal asks us to end.

    Args:
        arguments: The command line after the program's name. The engine puts its address last and its logging
            flags before.

    Returns:
        The exit code: 2 when no engine address was given, else 0.
    """
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write("usage: python -m cloudcommerce_sandbox.language_host ENGINE_ADDRESS\n")
        return 2
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)

    host = LanguageHost(engine_address=addresses[-1])
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    call_when_orphaned(ended.set)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    host.children.end_all()
    server.stop(grace=None)
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # gRPC's own threads may hold the interpreter back; everything of ours has ended.
    sys.stdout.flush()
    os._exit(code)
