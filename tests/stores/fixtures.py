"""The stores as fixtures: one server of each a session, one namespace a test."""

import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.stores import ferretdb, postgres, rabbitmq, secrets_manager
from tests.stores.certificates import Certificates, make_certificates
from tests.stores.ferretdb import MongoServer
from tests.stores.postgres import PostgresServer
from tests.stores.rabbitmq import RabbitServer
from tests.stores.secrets_manager import SecretsManager


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A throw-away CA with a certificate for `localhost`."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def postgres_server(certificates: Certificates) -> Iterator[PostgresServer]:
    """PostgreSQL with TLS; many tests share it, so each uses names of its own."""
    server = postgres.start(certificates)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rabbitmq_server(certificates: Certificates) -> Iterator[RabbitServer]:
    """RabbitMQ with TLS for AMQP and for the management API."""
    server, launched = rabbitmq.start(certificates)
    yield server
    launched.stop()


@pytest.fixture(scope="session")
def mongodb_server(certificates: Certificates) -> Iterator[MongoServer]:
    """The MongoDB wire with TLS and logins; see tests/stores/ferretdb.py for what it does not show."""
    server = ferretdb.start(certificates)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def secrets_endpoint() -> Iterator[str]:
    """A moto server; give its address as AWS_ENDPOINT_URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def secrets_manager_service(secrets_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    """Secrets Manager, also for every client that the test or its children make."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", secrets_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return secrets_manager.connect()


@pytest.fixture
def namespace() -> str:
    """A prefix for names in shared servers."""
    return "t" + uuid.uuid4().hex[:8]
