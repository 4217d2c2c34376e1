"""An HTTP/1.1 server that keeps connections open; werkzeug's own closes them after every response."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from cloudcommerce_sandbox.emulator.admission import is_loopback
from cloudcommerce_sandbox.emulator.wire import Environ, Response

Application = Callable[[Environ], Response]


class ConnectionDropped(Exception):  # noqa: N818 - the name of the event, and not a failure of ours
    """The client is to lose its connection without an answer."""


class _KeepAliveHandler(MotoRequestHandler):
    """Reads a whole request before it is handled and writes the whole response in one go.

    Both let the next request follow on the same connection: nothing of this one is left unread, and the
    answer's length is known.
    """

    server: EmulatorServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            # Where the next request begins cannot be told.
            self.close_connection = True
            refusal = f"Content-Length is {length!r}; it must be a number of bytes"
            self._write(Response(HTTPStatus.BAD_REQUEST, {"Content-Type": "text/plain"}, refusal.encode()))
            return
        body = self._read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            response = self.server.application(environ)
        except ConnectionDropped:
            self.close_connection = True
            return
        self._write(response)

    def _read_body(self, environ: Environ) -> bytes:
        if environ.get("wsgi.input_terminated"):
            return b"".join(iter(lambda: environ["wsgi.input"].read(65_536), b""))
        body: bytes = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        return body

    def _write(self, response: Response) -> None:
        self.send_response(response.status, HTTPStatus(response.status).phrase)
        for name, value in response.headers.items():
            if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        if self.command == "HEAD" and "content-length" in {name.lower() for name in response.headers}:
            length = next(v for name, v in response.headers.items() if name.lower() == "content-length")
        else:
            length = str(len(response.body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing: `/sandbox-api/calls` has it all."""


class EmulatorServer(ThreadedWSGIServer):
    """Serves an application on a loopback address, one thread a connection.

    Args:
        host: loopback address to listen on.
        port: 0 lets the system choose.
        application: turns a WSGI environment into a response; called from many threads at once.

    Raises:
        ValueError: `host` is not a loopback address.
        OSError: the port is taken.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str, port: int, application: Application) -> None:
        if not is_loopback(host):
            raise ValueError(
                f"{host} is not a loopback address; the emulator checks no credentials, use 127.0.0.1"
            )
        self.application = application
        listener = socket.create_server((host, port), backlog=self.request_queue_size)
        # Given no socket, the base class binds one and exits the process when the port is taken.
        super().__init__(
            host, listener.getsockname()[1], _never, handler=_KeepAliveHandler, fd=listener.detach()
        )

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Keeps only errors."""
        if type == "error":
            super().log(type, message, *args)


def _never(*_: Any) -> Any:
    raise AssertionError("requests are answered by EmulatorServer.application")
