"""Amazon MQ operations that moto lacks."""

from __future__ import annotations

from typing import cast

from moto.core.responses import ActionResult
from moto.mq import responses
from moto.mq.models import mq_backends

from cloudcommerce_sandbox.emulator.extensions.mq.models import MQBackend


class MQResponse(responses.MQResponse):
    """moto's Amazon MQ operations with ours."""

    @property
    def mq_backend(self) -> MQBackend:
        """Backend of the caller's account and region."""
        return cast("MQBackend", mq_backends[self.current_account][self.region])

    def describe_broker_engine_types(self) -> ActionResult:
        """Lists engines and versions."""
        types = self.mq_backend.describe_broker_engine_types(self._get_param("EngineType"))
        return ActionResult({"BrokerEngineTypes": types})

    def describe_broker_instance_options(self) -> ActionResult:
        """Lists instance types."""
        options = self.mq_backend.describe_broker_instance_options(self._get_param("HostInstanceType"))
        return ActionResult({"BrokerInstanceOptions": options})
