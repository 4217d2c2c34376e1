"""A RabbitMQ node with its management API, both with TLS."""

import base64
import http.client
import json
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

from services.local import servers
from tests.stores.certificates import Certificates
from tests.stores.process import UNPRIVILEGED, Supervised, free_port, give_away, new_directory

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

    host: str
    port: int
    amqp_port: int
    certificates: Certificates
    log: Path
    processes: tuple[Supervised, ...]
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

    def stop(self) -> None:
        for process in self.processes:
            process.stop()


def start(certificates: Certificates) -> RabbitServer:
    program, epmd = servers.rabbitmq()
    home = new_directory("rabbitmq")
    server_log, epmd_log = home / "log", home / "epmd.log"
    port, amqp_port, epmd_port = free_port(), free_port(), free_port()
    own = certificates.copy_to(home)
    (home / "rabbitmq.conf").write_text(
        _CONFIGURATION.format(
            certificates=own, port=port, amqp_port=amqp_port,
            master=RabbitServer.master, master_password=RabbitServer.master_password,
        )
    )  # fmt: skip
    (home / "enabled_plugins").write_text("[rabbitmq_management].\n")
    give_away(home)
    environment = {
        "HOME": str(home),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_NODENAME": f"test{os.getpid()}@localhost",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # Two cores are shared with the tests.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
    }
    # Erlang would start its port mapper as a daemon that nobody stops; given one, it uses that.
    # What both write is thrown away, so nothing is gained by stopping them gently.
    mapper = Supervised(
        "epmd", [epmd, "-port", str(epmd_port)], epmd_log,
        environment=environment, user=UNPRIVILEGED, stop_signal="SIGKILL",
    )  # fmt: skip
    broker = Supervised(
        "RabbitMQ", [program], server_log,
        environment=environment, user=UNPRIVILEGED, stop_signal="SIGKILL", remove=home,
    )  # fmt: skip
    server = RabbitServer("localhost", port, amqp_port, certificates, server_log, (broker, mapper))
    try:
        broker.wait_until(lambda: _answers(server), timeout=90)
    except BaseException:
        mapper.stop()
        raise
    return server


def _answers(server: RabbitServer) -> bool:
    try:
        return server.api("GET", "overview")[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
