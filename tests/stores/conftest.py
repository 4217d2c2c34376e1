"""The fixtures of this folder."""

from pathlib import Path

import pytest

from tests.stores.certificates import Certificates
from tests.stores.fixtures import (
    certificates,
    mongodb_server,
    namespace,
    postgres_server,
    rabbitmq_server,
    secrets_endpoint,
    secrets_manager_service,
)
from tests.stores.secrets_manager import SecretsManager
from tests.stores.shop import Shop

__all__ = [
    "certificates",
    "mongodb_server",
    "namespace",
    "postgres_server",
    "rabbitmq_server",
    "secrets_endpoint",
    "secrets_manager_service",
]

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test of this folder to one worker, so that each server is started once."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.xdist_group("stores"))


@pytest.fixture
def shop(
    namespace: str, secrets_manager_service: SecretsManager, tmp_path: Path, certificates: Certificates
) -> Shop:
    """An empty plan with secrets at hand."""
    return Shop(namespace, secrets_manager_service, tmp_path, certificates)
