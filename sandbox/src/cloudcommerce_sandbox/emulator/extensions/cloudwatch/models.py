"""CloudWatch backend: composite alarms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.cloudwatch import models

from cloudcommerce_sandbox.emulator.wire import ApiError

# ALARM(name), OK("name") and INSUFFICIENT_DATA(arn) of a rule:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
_REFERENCE = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^()\s]+))\s*\)")


class CloudWatchBackend(models.CloudWatchBackend):
    """moto's CloudWatch backend with ours."""

    SERVICE_NAMESPACE = "cloudwatch"

    def put_composite_alarm(self, settings: Mapping[str, Any]) -> None:
        """Creates or replaces a composite alarm.

        Args:
            settings: parameters of PutCompositeAlarm.

        Raises:
            ApiError: ValidationError for a rule that names no alarm, or one that does not exist.
        """
        name, rule = settings["AlarmName"], settings["AlarmRule"]
        references = [
            next(filter(None, match)).rsplit(":alarm:", 1)[-1] for match in _REFERENCE.findall(rule)
        ]
        if not references and rule.strip() not in {"TRUE", "FALSE"}:
            raise ApiError("ValidationError", f"AlarmRule must contain at least one alarm: {rule}")
        missing = sorted({reference for reference in references if reference not in self.alarms})
        if missing:
            message = f"Could not save the composite alarm as alarms {missing} in the alarm rule do not exist"
            raise ApiError("ValidationError", message)
        new = name not in self.alarms
        settable: dict[str, Any] = dict.fromkeys(_METRIC_FIELDS)
        settable["description"] = settings.get("AlarmDescription")
        settable["actions_enabled"] = settings.get("ActionsEnabled")
        alarm: Any = self.put_metric_alarm(
            **settable,
            name=name,
            dimensions=[],
            alarm_actions=settings.get("AlarmActions") or [],
            ok_actions=settings.get("OKActions"),
            insufficient_data_actions=settings.get("InsufficientDataActions"),
            rule=rule,
            # CloudWatch ignores tags on an alarm that is there already.
            tags=(settings.get("Tags") or []) if new else [],
        )
        for field in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
            setattr(alarm, field, settings.get(field))

    def delete_alarms(self, alarm_names: list[str]) -> None:
        """Deletes alarms with their tags; all or none.

        Raises:
            ApiError: ResourceNotFound when one of them does not exist.
        """
        missing = [name for name in alarm_names if name not in self.alarms]
        if missing:
            raise ApiError("ResourceNotFound", f"Alarms {missing} do not exist")
        for name in alarm_names:
            self.tagger.delete_all_tags_for_resource(self.alarms[name].alarm_arn)
        super().delete_alarms(alarm_names)


_METRIC_FIELDS = (
    "namespace",
    "metric_name",
    "metric_data_queries",
    "comparison_operator",
    "evaluation_periods",
    "datapoints_to_alarm",
    "period",
    "threshold",
    "statistic",
    "extended_statistic",
    "unit",
    "treat_missing_data",
    "evaluate_low_sample_count_percentile",
    "threshold_metric_id",
)
