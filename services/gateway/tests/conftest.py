"""A real Caddy in front of services that remember what reached them."""

import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.gateway import caddy
from services.gateway.routes import load

_CHECKOUT = Path(__file__).resolve().parents[3]
_START_SECONDS = 30.0


@dataclass
class Backend:
    """A service behind the gateway.

    Attributes:
        requests: What reached it: method, path and headers.
        reply: Answers; by default `{}`.
    """

    port: int
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    reply: Callable[["Handler"], None] | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    """One request to a backend."""

    protocol_version = "HTTP/1.1"
    backend: Backend

    def handle_method(self) -> None:
        """Remember the request and answer it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.backend.requests.append((self.command, self.path, headers))
        self.backend.bodies.append(self.rfile.read(int(headers.get("content-length", 0))))
        if self.backend.reply:
            self.backend.reply(self)
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
    setattr(Handler, f"do_{_method}", Handler.handle_method)


@dataclass(frozen=True)
class Answer:
    """What the gateway said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body, which must be a problem of this status."""
        assert self.headers["content-type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        assert found["type"].startswith("https://cloudcommerce.example/problems/")
        assert found["title"]
        return found


@dataclass(frozen=True)
class Gateway:
    """Caddy, with a backend a service."""

    port: int
    backends: dict[str, Backend]

    def send(
        self, method: str, target: str, body: bytes | None = None, *, token: str = "", **headers: str
    ) -> Answer:
        """Send a request whose target goes out as it is; underscores in names of headers become dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = token
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if body is not None:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, content)

    @property
    def reached(self) -> list[tuple[str, str, dict[str, str]]]:
        """All that got through to any service."""
        return [request for backend in self.backends.values() for request in backend.requests]


@pytest.fixture(scope="session")
def caddy_program() -> Path:
    """Caddy: what `make tools` built, or CLOUDCOMMERCE_CADDY, or PATH."""
    built = _CHECKOUT / ".sandbox" / "bin" / "caddy"
    found = os.environ.get("CLOUDCOMMERCE_CADDY") or (str(built) if built.exists() else shutil.which("caddy"))
    if not found:
        pytest.fail("there is no Caddy: make services-tools", pytrace=False)
    return Path(found)


@pytest.fixture(scope="module")
def running_gateway(caddy_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Caddy with the routes that the services have, each service played by a backend."""
    services = load()
    folder = tmp_path_factory.mktemp("caddy")
    servers = []
    backends = {}
    for service in services:
        backend, server = _start_backend()
        backends[service.service] = backend
        servers.append(server)
    with caddy_in_front(
        caddy_program, folder, {name: f"127.0.0.1:{backend.port}" for name, backend in backends.items()}
    ) as port:
        yield Gateway(port, backends)
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def gateway(running_gateway: Gateway) -> Gateway:
    """The running gateway, with nothing remembered."""
    for backend in running_gateway.backends.values():
        backend.requests.clear()
        backend.bodies.clear()
        backend.reply = None
    return running_gateway


@contextmanager
def caddy_in_front(program: Path, folder: Path, upstreams: dict[str, str]) -> Iterator[int]:
    """Run Caddy in front of these services; gives its port."""
    port = free_port()
    configuration = caddy.configuration(load(), listen=f"127.0.0.1:{port}", upstreams=upstreams)
    file = folder / "caddy.json"
    file.write_text(json.dumps(configuration))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "run", "--config", file], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Caddy does not start:\n{log.read_text()[-3000:]}", pytrace=False)
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start_backend() -> tuple[Backend, http.server.ThreadingHTTPServer]:
    backend = Backend(0)
    handler = type("BackendHandler", (Handler,), {"backend": backend})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    backend.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return backend, server
