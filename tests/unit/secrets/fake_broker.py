"""A RabbitMQ management interface with one user: what the rotation function says to a broker."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Broker:
    """The broker's state and how to reach it."""

    username: str
    password: str
    tags: list[str] = field(default_factory=lambda: ["administrator"])
    changes: int = 0
    refuse_changes_with: int | None = None
    port: int = 0

    def connect(self, _host: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """Serve a broker on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Tests print nothing."""

        def _answer(self, status: int, body: Any = None) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _authorized(self) -> bool:
            login = base64.b64encode(f"{broker.username}:{broker.password}".encode()).decode()
            return self.headers["Authorization"] == f"Basic {login}"

        def do_GET(self) -> None:
            if not self._authorized():
                return self._answer(401, {"error": "not_authorized"})
            return self._answer(200, {"name": broker.username, "tags": broker.tags})

        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self._authorized():
                return self._answer(401, {"error": "not_authorized"})
            if self.path != f"/api/users/{broker.username}":
                return self._answer(404, {"error": "not_found"})
            if broker.refuse_changes_with is not None:
                return self._answer(broker.refuse_changes_with)
            broker.password, broker.tags = body["password"], body["tags"].split(",")
            broker.changes += 1
            return self._answer(204)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    broker.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield broker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
