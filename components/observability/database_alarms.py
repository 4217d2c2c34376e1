"""The alarms of the databases, as functions of their instance classes.

Which metrics to watch follows, below https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/,
Best_Practice_Recommended_Alarms_AWS_Services.html; each function names the page its figures come from.
"""

from functools import partial

from components.data.instance_classes import DOCUMENT_DB, GIB, RDS, InstanceClass, capacity
from components.data.postgres_parameters import max_connections
from components.observability.alarm import Alarm

_CPU_PERCENT = 80
_FREE_MEMORY_SHARE = 0.1
_CONNECTIONS_PERCENT = 80
_MIN_CPU_CREDITS = 50


def postgres_alarms(instance_class: str, *, allocated_storage: int, replica: bool) -> tuple[Alarm, ...]:
    """Alarms of an RDS instance; dimension `DBInstanceIdentifier`.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html. gp3 volumes have no burst
    balance; what shows on them is the queue. Storage autoscaling steps in below a tenth of free space, so
    less than a twentieth means that it has reached its limit or waits for its six hours to pass:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html

    Args:
        instance_class: Such as `db.m7g.large`.
        allocated_storage: Size of the volume at creation in GiB.
        replica: Whether the instance is a read replica.

    Raises:
        ValueError: the class is unknown.
    """
    size = capacity(RDS, instance_class)
    alarm = partial(Alarm, namespace="AWS/RDS")
    alarms = [
        *_instance_alarms("AWS/RDS", size),
        alarm(
            role="storage",
            description="Free storage under 5 %: raise max_allocated_storage before the instance stops",
            metric="FreeStorageSpace",
            comparison="LessThanThreshold",
            threshold=allocated_storage * GIB * 0.05,
            statistic="Minimum",
        ),
        alarm(
            role="disk-queue",
            description="Requests wait for the disk: look for sequential scans, then raise the volume's IOPS",
            metric="DiskQueueDepth",
            comparison="GreaterThanThreshold",
            threshold=64,
            periods=10,
        ),
        alarm(
            role="connections",
            description="80 % of max_connections in use: look for a client that bypasses the proxy",
            metric="DatabaseConnections",
            comparison="GreaterThanThreshold",
            threshold=max_connections(size.memory) * _CONNECTIONS_PERCENT // 100,
            statistic="Maximum",
        ),
    ]
    if replica:
        alarms.append(
            alarm(
                role="replica-lag",
                description="The replica is 60 s behind: reads are stale and a promotion would lose writes",
                metric="ReplicaLag",
                comparison="GreaterThanThreshold",
                threshold=60,
                statistic="Maximum",
            )
        )
    return tuple(alarms)


def document_db_alarms(instance_class: str) -> tuple[Alarm, ...]:
    """Alarms of a DocumentDB instance; dimension `DBInstanceIdentifier`.

    https://docs.aws.amazon.com/documentdb/latest/developerguide/cloud_watch.html. Connections are held
    against the limit that the instance itself reports.

    Args:
        instance_class: Such as `db.r6g.large`.

    Raises:
        ValueError: the class is unknown.
    """
    alarm = partial(Alarm, namespace="AWS/DocDB")
    return (
        *_instance_alarms("AWS/DocDB", capacity(DOCUMENT_DB, instance_class)),
        alarm(
            role="connections",
            description="80 % of the instance's connections in use: look at the services' pool sizes",
            metric="DatabaseConnectionsMax",
            limit_metric="DatabaseConnectionsLimit",
            comparison="GreaterThanThreshold",
            threshold=_CONNECTIONS_PERCENT,
            statistic="Maximum",
        ),
        alarm(
            role="replica-lag",
            description="A replica is 5 s behind the writer: reads from replicas are stale",
            metric="DBInstanceReplicaLag",
            comparison="GreaterThanThreshold",
            threshold=5_000,
            statistic="Maximum",
        ),
        alarm(
            role="throttled",
            description="Operations were refused for lack of memory: take a larger instance class",
            metric="LowMemNumOperationsThrottled",
            comparison="GreaterThanThreshold",
            threshold=0,
            statistic="Sum",
            periods=1,
            missing="notBreaching",
        ),
    )


def document_db_cluster_alarms(*, expected_gib: int) -> tuple[Alarm, ...]:
    """Alarms of a DocumentDB cluster as a whole; dimension `DBClusterIdentifier`.

    The volume grows by itself up to 128 TiB, so that its size is a matter of cost and of runaway writers.
    https://docs.aws.amazon.com/documentdb/latest/developerguide/how-it-works.html

    Args:
        expected_gib: Size in GiB that nobody expects to be passed.
    """
    return (
        Alarm(
            role="volume",
            description=f"The volume is over {expected_gib} GiB: look for a collection that only grows",
            namespace="AWS/DocDB",
            metric="VolumeBytesUsed",
            comparison="GreaterThanThreshold",
            threshold=expected_gib * GIB,
            period=3600,
            periods=1,
        ),
    )


def _instance_alarms(namespace: str, size: InstanceClass) -> list[Alarm]:
    alarms = [
        Alarm(
            role="cpu",
            description="The processor is busy: look at the top statements, then take a larger class",
            namespace=namespace,
            metric="CPUUtilization",
            comparison="GreaterThanThreshold",
            threshold=_CPU_PERCENT,
            periods=10,
            missing="breaching",
        ),
        Alarm(
            role="memory",
            description="Less than a tenth of the memory is free: look for large sorts and idle connections",
            namespace=namespace,
            metric="FreeableMemory",
            comparison="LessThanThreshold",
            threshold=int(size.memory * _FREE_MEMORY_SHARE),
        ),
    ]
    if size.burstable:
        alarms.append(
            Alarm(
                role="cpu-credits",
                description="Processor credits run out: the class is too small for steady load",
                namespace=namespace,
                metric="CPUCreditBalance",
                comparison="LessThanThreshold",
                threshold=_MIN_CPU_CREDITS,
                statistic="Minimum",
                period=300,
                periods=3,
            )
        )
    return alarms
