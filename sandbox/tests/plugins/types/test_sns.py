"""SNS types through their life."""

import json
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import ACCOUNT, RunningEmulator
from sandbox.tests.plugins.types.played_engine import PlayedEngine

TOPIC, POLICY = "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:alarms"


@pytest.fixture(scope="module")
def sns(emulator: RunningEmulator) -> Any:
    return emulator.client("sns")


def publishing(topic: str, service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_topic_lives(engine: PlayedEngine, sns: Any, key: str) -> None:
    program: dict[str, Any] = {"kmsMasterKeyId": key, "displayName": "Alarms", "tags": {"Name": "alarms"}}
    topic = engine.resource(TOPIC, "alarms").create(program)
    assert topic.id == topic.output("arn")
    topic.assert_settled(program)
    changed = {"kmsMasterKeyId": key, "tags": {"Name": "alarms"}}
    assert topic.diff(changed) == ({"displayName"}, set())
    topic.update(changed).assert_settled(changed)
    assert sns.get_topic_attributes(TopicArn=topic.id)["Attributes"].get("DisplayName", "") == ""
    assert topic.diff({**changed, "name": "others"})[1] == {"name"}

    given = {"arn": topic.id, "policy": publishing(topic.id, "cloudwatch.amazonaws.com")}
    policy = engine.resource(POLICY, "alarms").create(given)
    policy.assert_settled(given)
    other = {**given, "policy": publishing(topic.id, "events.amazonaws.com")}
    assert policy.diff(other) == ({"policy"}, set())
    policy.update(other).assert_settled(other)
    policy.delete()
    left = json.loads(sns.get_topic_attributes(TopicArn=topic.id)["Attributes"]["Policy"])
    assert left["Id"] == "__default_policy_ID", "a topic always has a policy: the default one comes back"
    topic.delete()
    assert not topic.refresh()


def test_a_subscription_lives(engine: PlayedEngine, sns: Any) -> None:
    topic = engine.resource(TOPIC, "orders").create({})
    program: dict[str, Any] = {
        "topic": topic.id,
        "protocol": "sqs",
        "endpoint": QUEUE,
        "filterPolicy": json.dumps({"kind": ["paid"]}),
        "rawMessageDelivery": True,
    }
    subscription = engine.resource(SUBSCRIPTION, "orders").create(program)
    subscription.assert_settled(program)
    bare = {name: program[name] for name in ("topic", "protocol", "endpoint")}
    assert subscription.diff(bare) == ({"filterPolicy", "rawMessageDelivery"}, set())
    subscription.update(bare).assert_settled(bare)
    found = sns.get_subscription_attributes(SubscriptionArn=subscription.id)["Attributes"]
    assert found.get("FilterPolicy", "{}") == "{}"
    assert found["RawMessageDelivery"] == "false"
    assert subscription.diff({**bare, "endpoint": f"{QUEUE}-2"}) == ({"endpoint"}, {"endpoint"})
    subscription.delete()
    assert not subscription.refresh()
    topic.delete()
