"""Passes TCP connections on from one local port to another: `relay.py FROM TO`."""

import contextlib
import socket
import sys
import threading


def main() -> None:
    """Run until killed."""
    listen, target = map(int, sys.argv[1:])
    with socket.create_server(("127.0.0.1", listen)) as listener:
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", target))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
