"""AWS Secrets Manager."""

from __future__ import annotations

from moto.secretsmanager.models import secretsmanager_backends

from cloudcommerce_sandbox.emulator.extensions.registry import Extension
from cloudcommerce_sandbox.emulator.extensions.secretsmanager.models import FakeSecret, SecretsManagerBackend
from cloudcommerce_sandbox.emulator.extensions.secretsmanager.responses import SecretsManagerResponse

EXTENSION = Extension(
    "secretsmanager", secretsmanager_backends, SecretsManagerBackend, SecretsManagerResponse, (FakeSecret,)
)
