"""Amazon EC2."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from cloudcommerce_sandbox.emulator.extensions.ec2.models import EC2Backend
from cloudcommerce_sandbox.emulator.extensions.ec2.responses import EC2Response
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("ec2", ec2_backends, EC2Backend, EC2Response)
