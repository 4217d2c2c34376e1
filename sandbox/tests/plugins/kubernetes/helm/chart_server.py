"""A server of charts on this machine, with TLS and a password: a repository of Helm's and an OCI registry."""

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cloudcommerce_sandbox.kubernetes.certificates import Authority

USER, PASSWORD = "reader", "geheim-42"
_LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@dataclass(frozen=True)
class ChartServer:
    """The running server.

    Attributes:
        host: Host and port.
        authority: File with the certificate of the authority that vouches for it.
    """

    host: str
    authority: Path


@contextmanager
def serving(archive: Path, name: str, version: str, folder: Path) -> Iterator[ChartServer]:
    """Serve one chart below `/repository/` (Helm's form) and as `/charts/NAME` (OCI's form).

    Args:
        archive: The chart.
        name: Its name.
        version: Its version.
        folder: Where certificates go.
    """
    pages = _pages(archive.read_bytes(), name, version)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("", b""))
            status = 200 if kind else 404
            if self.headers.get("Authorization") != _LOGIN:
                status, kind, body = 401, "text/plain", b""
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="charts"')
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    authority = Authority(folder, "authority")
    pair = authority.server("charts", ["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ChartServer(f"127.0.0.1:{server.server_port}", authority.files.certificate)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _pages(chart: bytes, name: str, version: str) -> dict[str, tuple[str, bytes]]:
    metadata = {"apiVersion": "v2", "name": name, "version": version}
    index = {
        "apiVersion": "v1",
        "entries": {
            name: [{**metadata, "urls": [f"{name}.tgz"], "digest": hashlib.sha256(chart).hexdigest()}]
        },
    }
    config = json.dumps(metadata).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, chart)],
        }
    ).encode()
    root = f"/v2/charts/{name}"
    return {
        "/repository/index.yaml": ("application/yaml", json.dumps(index).encode()),
        f"/repository/{name}.tgz": ("application/gzip", chart),
        "/v2/": ("application/json", b"{}"),
        f"{root}/tags/list": (
            "application/json",
            json.dumps({"name": f"charts/{name}", "tags": [version]}).encode(),
        ),
        f"{root}/manifests/{version}": (_MANIFEST, manifest),
        f"{root}/manifests/{_digest(manifest)}": (_MANIFEST, manifest),
        f"{root}/blobs/{_digest(config)}": ("application/octet-stream", config),
        f"{root}/blobs/{_digest(chart)}": ("application/octet-stream", chart),
    }


def _descriptor(kind: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
