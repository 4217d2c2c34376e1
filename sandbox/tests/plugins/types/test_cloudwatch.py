"""CloudWatch types through their life."""

import json
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import ACCOUNT, RunningEmulator
from sandbox.tests.emulator.network import unique
from sandbox.tests.plugins.types.played_engine import PlayedEngine

GROUP, RESOURCE_POLICY = (
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
)
METRIC, COMPOSITE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"


@pytest.fixture(scope="module")
def logs(emulator: RunningEmulator) -> Any:
    return emulator.client("logs")


@pytest.fixture(scope="module")
def logs_key(emulator: RunningEmulator) -> str:
    """Return a key that CloudWatch Logs may use."""
    principals = ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"Service": "logs.us-east-1.amazonaws.com"})
    statements = [
        {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        for principal in principals
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return str(emulator.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])


def test_a_log_group_lives(engine: PlayedEngine, logs: Any, logs_key: str) -> None:
    program: dict[str, Any] = {"retentionInDays": 30, "kmsKeyId": logs_key, "tags": {"Name": "flow"}}
    group = engine.resource(GROUP, "flow").create(program)
    assert group.id.startswith("flow-")
    group.assert_settled(program)
    changed = {**program, "retentionInDays": 90}
    assert group.diff(changed) == ({"retentionInDays"}, set())
    group.update(changed).assert_settled(changed)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group.id)["logGroups"]
    assert (found["retentionInDays"], found["kmsKeyId"]) == (90, logs_key)
    bare = {"retentionInDays": 90, "tags": {"Name": "flow"}}
    assert group.diff(bare) == ({"kmsKeyId"}, set()), "a key that is no longer given comes off"
    assert group.diff({**changed, "logGroupClass": "INFREQUENT_ACCESS"})[1] == {"logGroupClass"}
    logs.delete_retention_policy(logGroupName=group.id)
    assert group.refresh()
    assert group.diff(changed) == ({"retentionInDays"}, set())
    group.delete()
    assert not group.refresh()


def test_a_log_group_can_outlive_the_stack(engine: PlayedEngine, logs: Any) -> None:
    group = engine.resource(GROUP, "audit").create({"skipDestroy": True})
    group.delete()
    assert group.refresh()
    logs.delete_log_group(logGroupName=group.id)


def test_a_resource_policy_lives(engine: PlayedEngine) -> None:
    def document(action: str) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "es.amazonaws.com"},
            "Action": action,
            "Resource": "*",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    program = {"policyName": unique("deliver"), "policyDocument": document("logs:PutLogEvents")}
    policy = engine.resource(RESOURCE_POLICY, "deliver").create(program)
    policy.assert_settled(program)
    changed = {**program, "policyDocument": document("logs:CreateLogStream")}
    assert policy.diff(changed) == ({"policyDocument"}, set())
    policy.update(changed).assert_settled(changed)
    assert policy.diff({**changed, "policyName": "another"})[1] == {"policyName"}
    policy.delete()
    assert not policy.refresh()


def test_alarms_live(engine: PlayedEngine, emulator: RunningEmulator) -> None:
    cloudwatch = emulator.client("cloudwatch")
    program: dict[str, Any] = {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 3,
        "datapointsToAlarm": 2,
        "metricName": "CPUUtilization",
        "namespace": "AWS/RDS",
        "period": 60,
        "statistic": "Average",
        "threshold": 80,
        "alarmDescription": "the database works hard",
        "alarmActions": [TOPIC],
        "dimensions": {"DBInstanceIdentifier": "orders"},
        "tags": {"Name": "cpu"},
    }
    alarm = engine.resource(METRIC, "cpu").create(program)
    alarm.assert_settled(program)
    changed = {name: value for name, value in program.items() if name != "alarmDescription"} | {
        "threshold": 90
    }
    assert alarm.diff(changed) == ({"threshold", "alarmDescription"}, set())
    alarm.update(changed).assert_settled(changed)
    (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm.id])["MetricAlarms"]
    assert found["Threshold"] == 90
    assert not found.get("AlarmDescription"), "an alarm is put as a whole"
    assert alarm.diff({**changed, "name": "another"})[1] == {"name"}

    combined = {"alarmName": unique("shop"), "alarmRule": f"ALARM({alarm.id})", "alarmActions": [TOPIC]}
    composite = engine.resource(COMPOSITE, "shop").create(combined)
    composite.assert_settled(combined)
    either = {**combined, "alarmRule": f"ALARM({alarm.id}) OR ALARM({alarm.id})"}
    assert composite.diff(either) == ({"alarmRule"}, set())
    composite.update(either).assert_settled(either)
    assert composite.diff({**either, "actionsEnabled": False})[1] == {"actionsEnabled"}
    for resource in (composite, alarm):
        resource.delete()
        assert not resource.refresh(), resource.type
