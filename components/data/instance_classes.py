"""Instance classes that the stores are offered in, and the capacities that tuning and alarms follow from.

Sources: memory of RDS classes, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html;
of DocumentDB classes, https://docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-classes.html;
connections of a Valkey node, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
(`maxclients`); broker types, https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rmq-broker-instance-types.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class InstanceClass:
    """Capacity of one instance class.

    Attributes:
        memory: Memory in bytes.
        burstable: Whether its processor runs on credits.
        max_connections: Connections that the engine accepts; 0 where memory or a metric decides.
    """

    memory: int
    burstable: bool = False
    max_connections: int = 0


def _family(family: str, gib_of_large: int, *, prefix: str = "db") -> dict[str, InstanceClass]:
    sizes = {"large": 1, "xlarge": 2, "2xlarge": 4, "4xlarge": 8}
    return {
        f"{prefix}.{family}.{size}": InstanceClass(memory=gib_of_large * factor * GIB)
        for size, factor in sizes.items()
    }


RDS: Mapping[str, InstanceClass] = {
    "db.t4g.medium": InstanceClass(memory=4 * GIB, burstable=True),
    "db.t4g.large": InstanceClass(memory=8 * GIB, burstable=True),
    **_family("m7g", 8),
    **_family("r7g", 16),
    **_family("m8g", 8),
    **_family("r8g", 16),
}

DOCUMENT_DB: Mapping[str, InstanceClass] = {
    "db.t4g.medium": InstanceClass(memory=4 * GIB, burstable=True),
    **_family("r6g", 16),
    **_family("r8g", 16),
}

_VALKEY_CONNECTIONS = 65_000
VALKEY: Mapping[str, InstanceClass] = {
    "cache.t4g.small": InstanceClass(memory=int(1.37 * GIB), burstable=True, max_connections=20_000),
    "cache.t4g.medium": InstanceClass(
        memory=int(3.09 * GIB), burstable=True, max_connections=_VALKEY_CONNECTIONS
    ),
    "cache.m7g.large": InstanceClass(memory=int(6.38 * GIB), max_connections=_VALKEY_CONNECTIONS),
    "cache.m7g.xlarge": InstanceClass(memory=int(12.93 * GIB), max_connections=_VALKEY_CONNECTIONS),
    "cache.r7g.large": InstanceClass(memory=int(13.07 * GIB), max_connections=_VALKEY_CONNECTIONS),
    "cache.r7g.xlarge": InstanceClass(memory=int(26.32 * GIB), max_connections=_VALKEY_CONNECTIONS),
}

RABBITMQ: Mapping[str, InstanceClass] = {
    "mq.m7g.large": InstanceClass(memory=8 * GIB),
    "mq.m7g.xlarge": InstanceClass(memory=16 * GIB),
    "mq.m7g.2xlarge": InstanceClass(memory=32 * GIB),
}


def capacity(table: Mapping[str, InstanceClass], name: str) -> InstanceClass:
    """Look an instance class up.

    Args:
        table: `RDS`, `DOCUMENT_DB`, `VALKEY` or `RABBITMQ`.
        name: Such as `db.m7g.large`.

    Raises:
        ValueError: the table does not have it; the message lists what it has and how to add one.
    """
    try:
        return table[name]
    except KeyError:
        raise ValueError(
            f"unknown instance class {name!r}: take one of {', '.join(sorted(table))}, "
            "or add its capacity to components/data/instance_classes.py"
        ) from None
