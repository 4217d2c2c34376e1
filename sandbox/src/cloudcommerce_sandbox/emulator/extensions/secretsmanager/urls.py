"""URLs of AWS Secrets Manager."""

from __future__ import annotations

from moto.secretsmanager.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.secretsmanager.responses import SecretsManagerResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": SecretsManagerResponse.dispatch}
