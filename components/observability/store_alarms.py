"""The alarms of one store, acting on the alarm topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.observability.alarm import Alarm, worst_part_query


@dataclass(frozen=True, kw_only=True)
class StoreAlarmsArgs:
    """What is watched.

    Attributes:
        topic_arn: Topic to notify, when an alarm rises and when it clears.
        alarms: Alarms of each watched resource, by a short stable name (`primary`), from `postgres_alarms`,
            `document_db_alarms`, `valkey_alarms`, `rabbitmq_alarms` or `rotation_alarms`.
        dimensions: CloudWatch dimensions of each watched resource, by the same names.
    """

    topic_arn: pulumi.Input[str]
    alarms: Mapping[str, Sequence[Alarm]]
    dimensions: Mapping[str, Mapping[str, pulumi.Input[str]]]

    def __post_init__(self) -> None:
        if self.alarms.keys() != self.dimensions.keys():
            odd = sorted(self.alarms.keys() ^ self.dimensions.keys())
            raise ValueError(
                f"{', '.join(odd)}: named in only one of alarms and dimensions; name every resource in both"
            )


class StoreAlarms(pulumi.ComponentResource):
    """The alarms of one store.

    Attributes:
        alarm_names: Names of all alarms.
    """

    alarm_names: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: StoreAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:observability:StoreAlarms", name, None, opts)
        self._topic_arn = args.topic_arn
        made = [
            self._alarm(f"{name}-{resource}-{alarm.role}", alarm, args.dimensions[resource])
            for resource, alarms in args.alarms.items()
            for alarm in alarms
        ]
        self.alarm_names = pulumi.Output.all(*(alarm.name for alarm in made))
        self.register_outputs({"alarm_names": self.alarm_names})

    def _alarm(
        self, name: str, alarm: Alarm, dimensions: Mapping[str, pulumi.Input[str]]
    ) -> aws.cloudwatch.MetricAlarm:
        queries = _queries(alarm, dimensions)
        return aws.cloudwatch.MetricAlarm(
            name,
            alarm_description=alarm.description,
            namespace=None if queries else alarm.namespace,
            metric_name=None if queries else alarm.metric,
            dimensions=None if queries else dimensions,
            statistic=None if queries else alarm.statistic,
            period=None if queries else alarm.period,
            metric_queries=queries,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.periods,
            treat_missing_data=alarm.missing,
            alarm_actions=[self._topic_arn],
            ok_actions=[self._topic_arn],
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _queries(
    alarm: Alarm, dimensions: Mapping[str, pulumi.Input[str]]
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs] | None:
    """What the alarm computes; None when it looks at one metric as it is."""
    if alarm.limit_metric:
        return _percentage(alarm, alarm.limit_metric, dimensions)
    if alarm.worst_of:
        return [_worst(alarm, alarm.worst_of, dimensions)]
    return None


def _worst(
    alarm: Alarm, part: str, dimensions: Mapping[str, pulumi.Input[str]]
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="worst",
        expression=pulumi.Output.all(**dimensions).apply(lambda known: worst_part_query(alarm, part, known)),
        label=f"{alarm.metric} of the worst {part}",
        period=alarm.period,
        return_data=True,
    )


def _percentage(
    alarm: Alarm, limit_metric: str, dimensions: Mapping[str, pulumi.Input[str]]
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    def query(id_: str, metric: str) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
        return aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=id_,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=alarm.namespace,
                metric_name=metric,
                dimensions=dimensions,
                period=alarm.period,
                stat=alarm.statistic,
            ),
        )

    return [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="percentage",
            expression="100 * used / maximum",
            label=f"{alarm.metric} in percent of {limit_metric}",
            return_data=True,
        ),
        query("used", alarm.metric),
        query("maximum", limit_metric),
    ]
