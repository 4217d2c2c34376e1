"""AWS Key Management Service."""

from __future__ import annotations

from moto.kms.models import kms_backends

from cloudcommerce_sandbox.emulator.extensions.kms.models import KmsBackend
from cloudcommerce_sandbox.emulator.extensions.kms.responses import KmsResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("kms", kms_backends, KmsBackend, KmsResponse)
