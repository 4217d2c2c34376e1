"""One alarm as plain data."""

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
