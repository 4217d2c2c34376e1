"""The fixtures of this folder."""

from tests.stores.fixtures import (
    certificates,
    mongodb_server,
    namespace,
    postgres_server,
    rabbitmq_server,
    secrets_endpoint,
    secrets_manager_service,
)

__all__ = [
    "certificates",
    "mongodb_server",
    "namespace",
    "postgres_server",
    "rabbitmq_server",
    "secrets_endpoint",
    "secrets_manager_service",
]
