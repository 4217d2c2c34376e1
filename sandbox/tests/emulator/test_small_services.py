"""KMS, CloudWatch, ECR and the tagging API over all of them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import make_network, unique


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_key_rotation_reads_back(emulator: RunningEmulator) -> None:
    kms = emulator.client("kms")
    key = kms.create_key()["KeyMetadata"]
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["Arn"])["RotationPeriodInDays"] == 365
    kms.enable_key_rotation(KeyId=key["Arn"], RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["RotationPeriodInDays"], status["KeyId"]) == (180, key["Arn"])
    assert refused(kms.enable_key_rotation, KeyId=key["KeyId"], RotationPeriodInDays=3000) != ""
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key["KeyId"])
    kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=7)
    assert refused(kms.enable_key_rotation, KeyId=key["KeyId"]) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key["Arn"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"


def test_a_flow_log_delivers_to_a_log_group_named_by_its_arn(emulator: RunningEmulator) -> None:
    ec2, name = emulator.client("ec2"), unique("/flow")
    trust: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"Service": "vpc-flow-logs.amazonaws.com"}
    role = emulator.client("iam").create_role(
        RoleName=unique("flow"),
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    emulator.client("logs").create_log_group(logGroupName=name)
    for group, status in ((name, "SUCCESS"), (f"{name}-absent", "FAILED")):
        created = ec2.create_flow_logs(
            ResourceIds=[make_network(emulator).vpc],
            ResourceType="VPC",
            TrafficType="ALL",
            DeliverLogsPermissionArn=role,
            LogDestination=f"arn:aws:logs:us-east-1:123456789012:log-group:{group}",
        )["FlowLogIds"]
        assert ec2.describe_flow_logs(FlowLogIds=created)["FlowLogs"][0]["DeliverLogsStatus"] == status


def put_metric_alarm(cloudwatch: Any, name: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/RDS",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "kind", "Value": "metric"}],
    )


def test_composite_alarms(emulator: RunningEmulator) -> None:
    cloudwatch, metric, composite = emulator.client("cloudwatch"), unique("cpu"), unique("store")
    rule = f'ALARM("{metric}") OR ALARM({metric})'
    assert refused(cloudwatch.put_composite_alarm, AlarmName=composite, AlarmRule=rule) == "ValidationError"
    put_metric_alarm(cloudwatch, metric)
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    cloudwatch.put_composite_alarm(
        AlarmName=composite,
        AlarmRule=rule,
        AlarmDescription="the store",
        AlarmActions=[topic],
        ActionsSuppressor=metric,
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=120,
        Tags=[{"Key": "kind", "Value": "composite"}],
    )
    read = cloudwatch.describe_alarms(AlarmNames=[composite], AlarmTypes=["CompositeAlarm"])
    alarm = read["CompositeAlarms"][0]
    assert (alarm["AlarmRule"], alarm["AlarmActions"]) == (rule, [topic])
    assert alarm["AlarmDescription"] == "the store"
    assert (alarm["ActionsSuppressor"], alarm["ActionsSuppressorWaitPeriod"]) == (metric, 60)
    assert cloudwatch.describe_alarms(AlarmNames=[composite]).get("CompositeAlarms", []) == []
    tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "kind", "Value": "composite"}]
    cloudwatch.delete_alarms(AlarmNames=[composite])
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == []
    assert refused(cloudwatch.delete_alarms, AlarmNames=[composite, metric]) == "ResourceNotFound"
    assert cloudwatch.describe_alarms(AlarmNames=[metric])["MetricAlarms"]


def test_scanning_of_the_registry(emulator: RunningEmulator) -> None:
    ecr = emulator.client("ecr")
    rules = [
        {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    ]
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)
    read = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert (read["scanType"], read["rules"]) == ("BASIC", rules)


def test_a_repository_is_tagged_from_both_sides(emulator: RunningEmulator) -> None:
    ecr = emulator.client("ecr")
    arn = ecr.create_repository(repositoryName=unique("image"))["repository"]["repositoryArn"]
    emulator.client("resourcegroupstaggingapi").tag_resources(ResourceARNList=[arn], Tags={"a": "1"})
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]


def test_the_tagging_api_sees_every_service(emulator: RunningEmulator) -> None:
    team, network = unique("team"), make_network(emulator)
    pairs = [{"Key": "owner", "Value": team}]
    emulator.client("ec2").create_tags(Resources=[network.vpc, network.security_group], Tags=pairs)
    ecr = emulator.client("ecr").create_repository(repositoryName=unique("image"), tags=pairs)
    kms = emulator.client("kms").create_key(Tags=[{"TagKey": "owner", "TagValue": team}])
    secret = emulator.client("secretsmanager").create_secret(Name=unique("s"), SecretString="x", Tags=pairs)
    group = unique("/group")
    emulator.client("logs").create_log_group(logGroupName=group, tags={"owner": team})
    topic = emulator.client("sns").create_topic(Name=unique("topic"), Tags=pairs)
    found = emulator.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "owner", "Values": [team]}]
    )
    base = "us-east-1:123456789012"
    assert {r["ResourceARN"] for r in found["ResourceTagMappingList"]} == {
        f"arn:aws:ec2:{base}:vpc/{network.vpc}",
        f"arn:aws:ec2:{base}:security-group/{network.security_group}",
        ecr["repository"]["repositoryArn"],
        kms["KeyMetadata"]["Arn"],
        secret["ARN"],
        f"arn:aws:logs:{base}:log-group:{group}",
        topic["TopicArn"],
    }


def test_the_tagging_api_names_flow_logs_as_their_arn_does(emulator: RunningEmulator) -> None:
    bucket, stack = unique("flow"), unique("stack")
    emulator.client("s3").create_bucket(Bucket=bucket)
    emulator.client("ec2").create_flow_logs(
        ResourceIds=[make_network(emulator).vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{bucket}",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Stack", "Value": stack}]}],
    )
    listed = emulator.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "Stack", "Values": [stack]}]
    )["ResourceTagMappingList"]
    assert [":vpc-flow-log/fl-" in entry["ResourceARN"] for entry in listed] == [True]
