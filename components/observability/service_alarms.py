"""The alarms of the cache, the broker and the rotation function.

Which metrics to watch follows, below https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/,
Best_Practice_Recommended_Alarms_AWS_Services.html; each function names the page its figures come from.
"""

from functools import partial

from components.data.instance_classes import RABBITMQ, VALKEY, capacity
from components.observability.alarm import Alarm

_CPU_PERCENT = 80
_CONNECTIONS_PERCENT = 80


def valkey_alarms(node_type: str) -> tuple[Alarm, ...]:
    """Alarms of a Valkey node; dimension `CacheClusterId`.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html. The engine
    runs commands on one thread, so its own processor share is watched and not the host's.

    Args:
        node_type: Such as `cache.m7g.large`.

    Raises:
        ValueError: the type is unknown.
    """
    size = capacity(VALKEY, node_type)
    alarm = partial(Alarm, namespace="AWS/ElastiCache", comparison="GreaterThanThreshold")
    return (
        alarm(
            role="cpu",
            description="The engine's thread is busy: look for slow commands in the slow log",
            metric="EngineCPUUtilization",
            threshold=_CPU_PERCENT,
            missing="breaching",
        ),
        alarm(
            role="memory",
            description="75 % of the memory in use: evictions of sessions are near, take a larger node type",
            metric="DatabaseMemoryUsagePercentage",
            threshold=75,
            statistic="Maximum",
        ),
        alarm(
            role="evictions",
            description="Keys are evicted: customers lose sessions and carts early, take a larger node type",
            metric="Evictions",
            threshold=0,
            statistic="Sum",
            periods=1,
            missing="notBreaching",
        ),
        alarm(
            role="replication-lag",
            description="The replica is 5 s behind: a failover would lose sessions",
            metric="ReplicationLag",
            threshold=5,
            statistic="Maximum",
        ),
        alarm(
            role="connections",
            description="80 % of the connections in use: look for a client without a pool",
            metric="CurrConnections",
            threshold=size.max_connections * _CONNECTIONS_PERCENT // 100,
            statistic="Maximum",
        ),
        alarm(
            role="authentication",
            description="Log-ins fail: a service missed a rotation, or somebody guesses",
            metric="AuthenticationFailures",
            threshold=5,
            statistic="Sum",
            periods=1,
            missing="notBreaching",
        ),
    )


def rabbitmq_alarms(instance_type: str, *, consumers: bool) -> tuple[Alarm, ...]:
    """Alarms of a RabbitMQ cluster; dimension `Broker`.

    https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-logging-monitoring.html. The
    processor is read node by node, since a cluster's value hides the busy one; memory and disk are shares of
    their limits. Publishers are blocked once memory or disk reaches the broker's limit:
    https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/troubleshooting-action-required-codes.html

    Args:
        instance_type: Such as `mq.m7g.large`.
        consumers: Whether services consume already, so that none is an alarm.

    Raises:
        ValueError: the type is unknown.
    """
    capacity(RABBITMQ, instance_type)
    alarm = partial(Alarm, namespace="AWS/AmazonMQ", comparison="GreaterThanThreshold")
    alarms = [
        alarm(
            role="cpu",
            description="A node is busy: look for queues without consumers and for connection churn",
            metric="SystemCpuUtilization",
            threshold=_CPU_PERCENT,
            statistic="Maximum",
            worst_of="Node",
            missing="breaching",
        ),
        alarm(
            role="memory",
            description="80 % of the memory limit in use: at the limit publishers are blocked, drain queues",
            metric="RabbitMQMemUsed",
            limit_metric="RabbitMQMemLimit",
            threshold=80,
            statistic="Maximum",
        ),
        alarm(
            role="disk",
            description="Free disk under twice its limit: at the limit publishers are blocked, drain queues",
            metric="RabbitMQDiskFree",
            limit_metric="RabbitMQDiskFreeLimit",
            comparison="LessThanThreshold",
            threshold=200,
            statistic="Minimum",
        ),
        alarm(
            role="backlog",
            description="10000 messages wait: a consumer is down or too slow",
            metric="MessageReadyCount",
            threshold=10_000,
            statistic="Maximum",
            periods=10,
        ),
    ]
    if consumers:
        alarms += [
            alarm(
                role=role,
                description=f"Nobody has {what} for 15 minutes: notifications are not delivered",
                metric=metric,
                comparison="LessThanThreshold",
                threshold=1,
                statistic="Maximum",
                periods=15,
                missing="breaching",
            )
            for role, what, metric in (
                ("no-connection", "a connection", "ConnectionCount"),
                ("no-consumer", "consumed", "ConsumerCount"),
            )
        ]
    return tuple(alarms)


def rotation_alarms() -> tuple[Alarm, ...]:
    """Alarms of the rotation function; dimension `FunctionName`.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    return (
        Alarm(
            role="errors",
            description="A rotation step failed: read the function's log; the former password still works",
            namespace="AWS/Lambda",
            metric="Errors",
            comparison="GreaterThanThreshold",
            threshold=0,
            statistic="Sum",
            period=300,
            periods=1,
            missing="notBreaching",
        ),
    )
