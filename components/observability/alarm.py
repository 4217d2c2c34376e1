"""One alarm as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Comparison = Literal[
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
]
Missing = Literal["missing", "notBreaching", "breaching"]
"""What silence means.

`missing` for levels (memory, storage, lag): a store that starts or fails over reports nothing for minutes,
which is no evidence either way. `notBreaching` for counts of bad events: no data is no event. `breaching` for
one metric a resource, its processor: a store that says nothing at all is down.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """When a metric of one resource needs a person.

    Attributes:
        role: Suffix of the alarm's logical name (`cpu`), unique within its resource.
        description: What it means and where to look first.
        namespace: CloudWatch namespace, such as `AWS/RDS`.
        metric: Name of the metric.
        comparison: How the metric is held against the threshold.
        threshold: In the metric's unit, or in percent of `limit_metric`.
        statistic: How the data points of a period are summed up.
        period: Seconds of a period.
        periods: Periods in a row that must breach.
        missing: What silence means.
        limit_metric: Metric of the same resource that the metric is taken as a percentage of.
        worst_of: Dimension that divides the resource's metric (`Node`): the worst part counts, whatever the
            parts are called.
    """

    role: str
    description: str
    namespace: str
    metric: str
    comparison: Comparison
    threshold: float
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = "Average"
    period: int = 60
    periods: int = 5
    missing: Missing = "missing"
    limit_metric: str | None = None
    worst_of: str | None = None


def worst_part_query(alarm: Alarm, part: str, dimensions: Mapping[str, str]) -> str:
    """The Metrics Insights query for the worst part of a resource, minute by minute.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html

    Args:
        alarm: Says the metric, and by its statistic which end is the worst.
        part: Dimension that tells the parts apart.
        dimensions: The resource.
    """
    function = {"Maximum": "MAX", "Minimum": "MIN", "Average": "AVG", "Sum": "SUM"}[alarm.statistic]
    schema = ", ".join((f'"{alarm.namespace}"', *sorted(dimensions), part))
    where = " AND ".join(f"{key} = '{value}'" for key, value in sorted(dimensions.items()))
    return " ".join(("SELECT", f"{function}({alarm.metric})", "FROM", f"SCHEMA({schema})", "WHERE", where))
