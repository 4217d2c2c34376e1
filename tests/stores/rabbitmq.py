"""A RabbitMQ node with its management API, both with TLS."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

from services.stores import rabbitmq
from services.stores.process import free_port
from services.stores.server import Server
from tests.stores.certificates import Certificates

_CONFIGURATION = """
listeners.tcp = none
listeners.ssl.default = {amqp_port}
ssl_options.cacertfile = {certificates.ca_file}
ssl_options.certfile = {certificates.certificate}
ssl_options.keyfile = {certificates.key}
ssl_options.verify = verify_none
management.ssl.ip = 127.0.0.1
management.ssl.port = {port}
management.ssl.cacertfile = {certificates.ca_file}
management.ssl.certfile = {certificates.certificate}
management.ssl.keyfile = {certificates.key}
default_user = {master}
default_pass = {master_password}
loopback_users = none
log.console = true
log.file = false
"""


@dataclass(frozen=True)
class RabbitServer:
    """A running broker."""

    port: int
    amqp_port: int
    certificates: Certificates
    host: str = "localhost"
    master: str = "master_user"
    master_password: str = "master-password-of-the-tests"

    def api(
        self, method: str, *path: str, body: Any = None, user: str = "", password: str = ""
    ) -> tuple[int, Any]:
        """A call of the management API, as master unless told otherwise; status and answer."""
        context = ssl.create_default_context(cafile=str(self.certificates.ca_file))
        connection = http.client.HTTPSConnection(self.host, self.port, context=context, timeout=10)
        token = f"{user or self.master}:{password or self.master_password}"
        headers = {"Authorization": "Basic " + base64.b64encode(token.encode()).decode()}
        url = "/api/" + "/".join(quote(part, safe="") for part in path)
        connection.request(method, url, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content) if content else None

    def connect(self, user: str, password: str, vhost: str) -> pika.BlockingConnection:
        context = ssl.create_default_context(cafile=str(self.certificates.ca_file))
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                self.host, self.amqp_port, vhost, pika.PlainCredentials(user, password),
                ssl_options=pika.SSLOptions(context, self.host), socket_timeout=10,
            )
        )  # fmt: skip


def start(certificates: Certificates) -> tuple[RabbitServer, Server]:
    """A broker, and what stops it."""
    server = RabbitServer(free_port(), free_port(), certificates)

    def configure(home: Path) -> str:
        return _CONFIGURATION.format(
            certificates=certificates.copy_to(home), port=server.port, amqp_port=server.amqp_port,
            master=server.master, master_password=server.master_password,
        )  # fmt: skip

    processes = rabbitmq.launch(configure, plugins=["rabbitmq_management"])
    launched = Server("", server.amqp_port, processes, lambda: _answers(server))
    launched.wait_until_ready()
    return server, launched


def _answers(server: RabbitServer) -> bool:
    try:
        return server.api("GET", "overview")[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
