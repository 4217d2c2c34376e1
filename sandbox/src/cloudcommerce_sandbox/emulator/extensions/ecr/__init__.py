"""Amazon ECR."""

from __future__ import annotations

from moto.ecr.models import ecr_backends

from cloudcommerce_sandbox.emulator.extensions.ecr.models import ECRBackend
from cloudcommerce_sandbox.emulator.extensions.ecr.responses import ECRResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("ecr", ecr_backends, ECRBackend, ECRResponse)
