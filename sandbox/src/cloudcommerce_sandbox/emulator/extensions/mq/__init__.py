"""Amazon MQ."""

from __future__ import annotations

from moto.mq.models import mq_backends

from cloudcommerce_sandbox.emulator.extensions.mq.models import Broker, MQBackend
from cloudcommerce_sandbox.emulator.extensions.mq.responses import MQResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("mq", mq_backends, MQBackend, MQResponse, (Broker,))
