"""The webhook that API servers ask about tokens, over TLS."""

import json
import logging
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from cloudcommerce_sandbox.kubernetes.authentication import Verifier, review
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec

_LONGEST_REVIEW = 1 << 20
_PATIENCE_SECONDS = 10.0
_log = logging.getLogger(__name__)

FindCluster = Callable[[str], ClusterSpec | None]


class AuthenticationServer:
    """Answers TokenReviews at `https://HOST:PORT/CLUSTER`, where CLUSTER is what `find` takes.

    Args:
        find: Returns the cluster as it stands at this moment; None when there is none of the name.
        verifier: Who knows tokens.
        certificate: The server's certificate, PEM.
        key: Its private key, PEM.
        client_authority: The authority of the API servers' client certificates, PEM. None lets anybody ask
            who can reach the port.
        port: The port to listen at; 0 takes a free one.
    """

    def __init__(
        self,
        *,
        find: FindCluster,
        verifier: Verifier,
        certificate: Path,
        key: Path,
        client_authority: Path | None = None,
        port: int = 0,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_authority)
        handler = type("Handler", (_Handler,), {"find": staticmethod(find), "verifier": verifier})
        self._server = _Server(("127.0.0.1", port), handler, context)
        self._thread = threading.Thread(target=self._server.serve_forever, name="authentication", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext
    ) -> None:
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the request's own thread, so that a caller who stays silent holds up nobody."""
        request.settimeout(_PATIENCE_SECONDS)
        with self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # socketserver's
        _log.info("A caller of the token webhook left in the middle.", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    find: ClassVar[FindCluster]
    verifier: ClassVar[Verifier]

    def do_POST(self) -> None:  # http.server's
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LONGEST_REVIEW:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "A TokenReview of at most 1 MiB is expected."})
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "The TokenReview is not JSON."})
            return
        cluster = type(self).find(unquote(urlsplit(self.path).path.strip("/")))
        if cluster is None:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"There is no cluster {self.path!r}."})
            return
        self._answer(HTTPStatus.OK, review(body, cluster, self.verifier))

    def _answer(self, status: HTTPStatus, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status != HTTPStatus.OK:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's
        _log.debug(format, *args)
