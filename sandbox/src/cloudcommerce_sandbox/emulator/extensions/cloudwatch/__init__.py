"""Amazon CloudWatch."""

from __future__ import annotations

from moto.cloudwatch.models import cloudwatch_backends

from cloudcommerce_sandbox.emulator.extensions.cloudwatch.models import CloudWatchBackend
from cloudcommerce_sandbox.emulator.extensions.cloudwatch.responses import CloudWatchResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("cloudwatch", cloudwatch_backends, CloudWatchBackend, CloudWatchResponse)
