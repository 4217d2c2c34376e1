"""CloudWatch operations: corrections of moto's and what it lacks."""

from __future__ import annotations

from typing import Any, cast

from moto.cloudwatch import responses
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult, EmptyResult

from cloudcommerce_sandbox.emulator.extensions.cloudwatch.models import CloudWatchBackend


class CloudWatchResponse(responses.CloudWatchResponse):
    """moto's CloudWatch operations with ours."""

    @property
    def cloudwatch_backend(self) -> CloudWatchBackend:
        """Backend of the caller's account and region."""
        return cast("CloudWatchBackend", cloudwatch_backends[self.current_account][self.region])

    def put_composite_alarm(self) -> ActionResult:
        """Creates or replaces a composite alarm."""
        self.cloudwatch_backend.put_composite_alarm(self._get_params())
        return EmptyResult()

    def describe_alarms(self) -> ActionResult:
        """Lists alarms: metric alarms only, unless composite ones are asked for by type."""
        found: Any = super().describe_alarms().result
        types = self._get_param("AlarmTypes") or ["MetricAlarm"]
        wanted = {"MetricAlarms": "MetricAlarm", "CompositeAlarms": "CompositeAlarm"}
        return ActionResult({key: found[key] if kind in types else [] for key, kind in wanted.items()})
