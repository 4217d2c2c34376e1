"""Subscriptions to the events of RDS and, through the same API, DocumentDB."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import rds_tags

_SUBSCRIPTION = {"SubscriptionName": "{id}"}
_ACTIVE = Wait("Status", until=("active",), failed=("no-permission", "topic-not-exist"), timeout=2400.0)


def _change_sources(context: Context) -> None:
    """Add before removing: an empty list would mean every source of the type."""
    wanted = set(context.inputs.get("sourceIds") or ())
    before = set(context.old_inputs.get("sourceIds") or ())
    changes = (
        ("add_source_identifier_to_subscription", wanted - before),
        ("remove_source_identifier_from_subscription", before - wanted),
    )
    for operation, sources in changes:
        for source in sorted(sources):
            context.call(operation, SubscriptionName=context.id, SourceIdentifier=source)


EVENT_SUBSCRIPTION = ResourceType(
    pulumi_type="aws:rds/eventSubscription:EventSubscription",
    service="rds",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_event_subscription",
    id=Id(template="{name}"),
    create=(Call("create_event_subscription", item="EventSubscription"),),
    read=Read("describe_event_subscriptions", set=_SUBSCRIPTION, item="EventSubscriptionsList[0]"),
    update=(
        Call(
            "modify_event_subscription",
            set={**_SUBSCRIPTION, "SourceType": "{sourceType}"},
            on=("enabled", "eventCategories", "snsTopic", "sourceType"),
        ),
        Run(_change_sources, on=("sourceIds",)),
    ),
    delete=(Call("delete_event_subscription", set=_SUBSCRIPTION),),
    name=Name(prefix="namePrefix", allowed="a-zA-Z0-9-"),
    tags=rds_tags(),
    fields={
        "name": Field("SubscriptionName", read="CustSubscriptionId"),
        "arn": Field("EventSubscriptionArn"),
        "snsTopic": Field("SnsTopicArn"),
        "enabled": Field(default=True),
        "eventCategories": Field("EventCategories", read="EventCategoriesList"),
        "sourceIds": Field("SourceIds", read="SourceIdsList"),
    },
    force_new=("name", "namePrefix"),
    created=_ACTIVE,
    updated=_ACTIVE,
    deleted=Wait("Status", until=("deleted",), timeout=2400.0),
    check=(conflicts("name", "namePrefix"),),
)
