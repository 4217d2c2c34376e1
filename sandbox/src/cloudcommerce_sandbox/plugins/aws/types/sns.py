"""SNS topics, their policies and subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import BOOL_TEXT, JSON, NUMBER_TEXT, POLICY, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_SAME = Convert()
_Table = dict[str, tuple[str, Convert]]

# Both APIs take every property as a text attribute: property to the attribute's name and its text form.
_TOPIC: _Table = {
    "contentBasedDeduplication": ("ContentBasedDeduplication", BOOL_TEXT),
    "deliveryPolicy": ("DeliveryPolicy", JSON),
    "displayName": ("DisplayName", _SAME),
    "fifoThroughputScope": ("FifoThroughputScope", _SAME),
    "fifoTopic": ("FifoTopic", BOOL_TEXT),
    "kmsMasterKeyId": ("KmsMasterKeyId", _SAME),
    "policy": ("Policy", POLICY),
    "signatureVersion": ("SignatureVersion", NUMBER_TEXT),
    "tracingConfig": ("TracingConfig", _SAME),
}
_SUBSCRIPTION: _Table = {
    "deliveryPolicy": ("DeliveryPolicy", JSON),
    "filterPolicy": ("FilterPolicy", JSON),
    "filterPolicyScope": ("FilterPolicyScope", _SAME),
    "rawMessageDelivery": ("RawMessageDelivery", BOOL_TEXT),
    "redrivePolicy": ("RedrivePolicy", JSON),
    "subscriptionRoleArn": ("SubscriptionRoleArn", _SAME),
}
_OWNER_ACTIONS = (
    "SNS:Publish",
    "SNS:Receive",
    "SNS:Subscribe",
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:ListSubscriptionsByTopic",
)
_FEEDBACK = tuple(
    f"{protocol}{setting}"
    for protocol in ("application", "firehose", "http", "lambda", "sqs")
    for setting in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
)


# https://docs.aws.amazon.com/sns/latest/dg/message-filtering.html#message-filtering-policy-remove
_EMPTY = {"FilterPolicy": "{}"}


def _text(value: Any, convert: Convert) -> str:
    return "" if value is None else str(convert.send(value))


def _attributes(context: Context, table: _Table, names: Iterable[str]) -> dict[str, str]:
    chosen = {name: table[name] for name in sorted(names) if name in table}
    return {attribute: _text(context.inputs.get(name), form) for name, (attribute, form) in chosen.items()}


def _given_attributes(context: Context) -> dict[str, str]:
    return _attributes(context, _TOPIC, [name for name in _TOPIC if context.inputs.get(name) is not None])


def _update_topic(context: Context) -> None:
    for name, value in _attributes(context, _TOPIC, context.changed).items():
        context.call("set_topic_attributes", TopicArn=context.id, AttributeName=name, AttributeValue=value)


def _subscribe(context: Context) -> dict[str, Any]:
    given = [name for name in _SUBSCRIPTION if context.inputs.get(name) is not None]
    return context.call(
        "subscribe",
        TopicArn=context.inputs["topic"],
        Protocol=context.inputs["protocol"],
        Endpoint=context.inputs["endpoint"],
        Attributes=_attributes(context, _SUBSCRIPTION, given),
        ReturnSubscriptionArn=True,
    )


def _update_subscription(context: Context) -> None:
    attributes = _attributes(context, _SUBSCRIPTION, context.changed)
    for name in sorted(attributes, key=lambda name: _order(name, attributes)):
        attribute = {"AttributeName": name, "AttributeValue": attributes[name] or _EMPTY.get(name, "")}
        if name == "RedrivePolicy" and not attributes[name]:
            # The API takes no empty text here, but no value.
            del attribute["AttributeValue"]
        context.call("set_subscription_attributes", SubscriptionArn=context.id, **attribute)


def _order(name: str, attributes: dict[str, str]) -> int:
    """The scope of bodies takes any filter, the one of attributes flat ones only: it goes first or last."""
    if name != "FilterPolicyScope":
        return 1
    return 0 if attributes[name] == "MessageBody" else 2


def _reset_policy(context: Context) -> None:
    """Give the topic back the policy that AWS makes for a new one: its owner may do everything.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    policy = {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": list(_OWNER_ACTIONS),
                "Resource": context.id,
                "Condition": {"StringEquals": {"AWS:SourceOwner": context.account}},
            }
        ],
    }
    context.call(
        "set_topic_attributes",
        TopicArn=context.id,
        AttributeName="Policy",
        AttributeValue=POLICY.send(policy),
    )


TOPIC = ResourceType(
    pulumi_type="aws:sns/topic:Topic",
    service="sns",
    docs=f"{_DOCS}/sns_topic",
    id=Id(response="TopicArn"),
    create=(
        Call(
            "create_topic",
            on=("name", *_TOPIC),
            omit=tuple(_TOPIC),
            names={"name": "Name"},
            set={"Attributes": _given_attributes},
        ),
    ),
    read=Read("get_topic_attributes", set={"TopicArn": "{id}"}, item="Attributes"),
    update=(Run(_update_topic, on=tuple(_TOPIC)),),
    delete=(Call("delete_topic", set={"TopicArn": "{id}"}),),
    name=Name(prefix="namePrefix", max_length=256, allowed="a-zA-Z0-9_-"),
    tags=arn_tags(
        member="Tags",
        shape=("Key", "Value"),
        arn="{id}",
        arn_member="ResourceArn",
        keys_member="TagKeys",
        tag_member="Tags",
        list_operation="list_tags_for_resource",
        list_item="Tags",
    ),
    fields={
        "arn": Field(read="TopicArn"),
        "name": Field(read="TopicArn", convert=Convert(read=lambda arn: arn.rsplit(":", 1)[-1])),
        "displayName": Field(default=""),
        "fifoTopic": Field(convert=BOOL_TEXT, default=False),
        "contentBasedDeduplication": Field(convert=BOOL_TEXT, default=False),
        "policy": Field(convert=POLICY),
        "deliveryPolicy": Field(convert=JSON, default=""),
        "kmsMasterKeyId": Field(default=""),
        "signatureVersion": Field(convert=NUMBER_TEXT),
    },
    force_new=("name", "namePrefix", "fifoTopic"),
    no_output=("beginningArchiveTime",),
    unsupported=dict.fromkeys(_FEEDBACK, "delivery status logging")
    | {"archivePolicy": "message archives", "maximumMessageSize": "a message size limit of its own"},
)

TOPIC_POLICY = ResourceType(
    pulumi_type="aws:sns/topicPolicy:TopicPolicy",
    service="sns",
    docs=f"{_DOCS}/sns_topic_policy",
    id=Id(template="{arn}"),
    create=(
        Call(
            "set_topic_attributes",
            set={"TopicArn": "{arn}", "AttributeName": "Policy", "AttributeValue": "{policy}"},
        ),
    ),
    read=Read("get_topic_attributes", set={"TopicArn": "{id}"}, item="Attributes"),
    update=(
        Call(
            "set_topic_attributes",
            set={"TopicArn": "{id}", "AttributeName": "Policy", "AttributeValue": "{policy}"},
            on=("policy",),
        ),
    ),
    delete=(Run(_reset_policy),),
    fields={"arn": Field(read="TopicArn"), "policy": Field(convert=POLICY)},
    force_new=("arn",),
)

SUBSCRIPTION = ResourceType(
    pulumi_type="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    docs=f"{_DOCS}/sns_topic_subscription",
    id=Id(response="SubscriptionArn"),
    create=(Run(_subscribe, on=("topic", "protocol", "endpoint", *_SUBSCRIPTION)),),
    read=Read("get_subscription_attributes", set={"SubscriptionArn": "{id}"}, item="Attributes"),
    update=(Run(_update_subscription, on=tuple(_SUBSCRIPTION)),),
    # One that is not confirmed can't be deleted; AWS does so after some days.
    delete=(
        Call(
            "unsubscribe",
            set={"SubscriptionArn": "{id}"},
            ignore=tuple(f"InvalidParameter{end}: pending confirmation" for end in ("", "Exception")),
        ),
    ),
    fields={
        "arn": Field(read="SubscriptionArn"),
        "topic": Field(read="TopicArn"),
        "confirmationTimeoutInMinutes": Field(default=1),
        "endpointAutoConfirms": Field(default=False),
        "deliveryPolicy": Field(convert=JSON, default=""),
        # No filter at all may be told as an empty one.
        "filterPolicy": Field(read="[FilterPolicy][?@ != '{}'] | [0]", convert=JSON, default=None),
        "redrivePolicy": Field(convert=JSON, default=None),
        "subscriptionRoleArn": Field(default=None),
        "rawMessageDelivery": Field(convert=BOOL_TEXT, default=False),
        "ownerId": Field(read="Owner"),
        "pendingConfirmation": Field(convert=BOOL_TEXT),
        "confirmationWasAuthenticated": Field(convert=BOOL_TEXT),
    },
    force_new=("endpoint", "protocol", "topic"),
    local=("confirmationTimeoutInMinutes", "endpointAutoConfirms"),
    unsupported={"replayPolicy": "message replay"},
)

TYPES = (TOPIC, TOPIC_POLICY, SUBSCRIPTION)
