"""Failover and failure events of the databases, to the alarm topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

SourceType = Literal["db-instance", "db-cluster"]

_CATEGORIES: Mapping[SourceType, tuple[str, ...]] = {
    "db-instance": ("availability", "deletion", "failover", "failure", "low storage", "recovery"),
    "db-cluster": ("deletion", "failover", "failure", "maintenance"),
}
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html"""


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

    def __post_init__(self) -> None:
        if not self.source_ids:
            raise ValueError("source_ids is empty, which would subscribe to every database of the account")


class DatabaseEvents(pulumi.ComponentResource):
    """An RDS event subscription for failover, failure and loss of a database.

    Attributes:
        subscription_arn: ARN of the subscription.
    """

    subscription_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: DatabaseEventsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:observability:DatabaseEvents", name, None, opts)
        subscription = aws.rds.EventSubscription(
            f"{name}-subscription",
            sns_topic=args.topic_arn,
            source_type=args.source_type,
            source_ids=list(args.source_ids),
            event_categories=list(_CATEGORIES[args.source_type]),
            tags={"Name": f"{name}-subscription"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.subscription_arn = subscription.arn
        self.register_outputs({"subscription_arn": self.subscription_arn})
