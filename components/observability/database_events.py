"""Failover and failure events of the databases, to the alarm topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

SourceType = Literal["db-instance", "db-cluster"]


@dataclass(frozen=True, kw_only=True)
class DatabaseEventsArgs:
    """What is listened to.

    Attributes:
        topic_arn: Topic to notify.
        source_type: `db-instance` for RDS instances, `db-cluster` for DocumentDB clusters.
        source_ids: Identifiers of the sources.
    """

    topic_arn: pulumi.Input[str]
    source_type: SourceType
    source_ids: tuple[pulumi.Input[str], ...]


class DatabaseEvents(pulumi.ComponentResource):
    """An RDS event subscription for failover, failure and low storage."""

    subscription_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:observability:DatabaseEvents", name, None, opts)
