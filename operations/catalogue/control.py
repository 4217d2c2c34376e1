"""Kinds of identity, keys, secrets, logs, alarms and functions."""

from operations.catalogue.model import Detail, Kind, TagCall, Thing, simply
from operations.clients import Clients

KEY_WINDOW_DAYS = 30
"""The longest that KMS waits before it destroys a key, so that a mistake can be undone
(https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html)."""


def _delete_role(clients: Clients, thing: Thing) -> None:
    iam = clients.get("iam")
    for policy in iam.list_attached_role_policies(RoleName=thing.id)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=thing.id, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=thing.id)["PolicyNames"]:
        iam.delete_role_policy(RoleName=thing.id, PolicyName=name)
    iam.delete_role(RoleName=thing.id)


def _delete_policy(clients: Clients, thing: Thing) -> None:
    iam = clients.get("iam")
    for version in iam.list_policy_versions(PolicyArn=thing.id)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=thing.id, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=thing.id)


KINDS = (
    Kind(
        resource_type="aws:cloudwatch/metricAlarm:MetricAlarm",
        service="cloudwatch",
        operation="describe_alarms",
        items="MetricAlarms",
        id="AlarmName",
        arn="AlarmArn",
        arn_type="cloudwatch:alarm",
        name="AlarmName",
        name_input="name",
        tags=TagCall("list_tags_for_resource", "ResourceARN", "AlarmArn", "Tags"),
        delete=simply("delete_alarms", "AlarmNames[]"),
        rank=10,
    ),
    Kind(
        resource_type="aws:lambda/function:Function",
        service="lambda",
        operation="list_functions",
        items="Functions",
        id="FunctionName",
        arn="FunctionArn",
        arn_type="lambda:function",
        name="FunctionName",
        name_input="name",
        tags=TagCall("list_tags", "Resource", "FunctionArn", "Tags"),
        delete=simply("delete_function", "FunctionName"),
        rank=30,
    ),
    Kind(
        resource_type="aws:sns/topic:Topic",
        service="sns",
        operation="list_topics",
        items="Topics",
        id="TopicArn",
        arn="TopicArn",
        arn_type="sns:topic",
        tags=TagCall("list_tags_for_resource", "ResourceArn", "TopicArn", "Tags"),
        delete=simply("delete_topic", "TopicArn"),
    ),
    Kind(
        resource_type="aws:secretsmanager/secret:Secret",
        service="secretsmanager",
        operation="list_secrets",
        items="SecretList",
        id="ARN",
        arn="ARN",
        arn_type="secretsmanager:secret",
        name="Name",
        name_input="name",
        state="DeletedDate && 'deleting' || ''",
        request={"IncludePlannedDeletion": True},
        delete=simply("delete_secret", "SecretId", RecoveryWindowInDays=30),
        holds_data=True,
    ),
    Kind(
        resource_type="aws:cloudwatch/logGroup:LogGroup",
        service="logs",
        operation="describe_log_groups",
        items="logGroups",
        id="logGroupName",
        arn="logGroupArn || arn",
        arn_type="logs:log-group",
        name="logGroupName",
        name_input="name",
        tags=TagCall("list_tags_log_group", "logGroupName", "logGroupName", "tags"),
        delete=simply("delete_log_group", "logGroupName"),
        rank=80,
        holds_data=True,
    ),
    Kind(
        resource_type="aws:iam/policy:Policy",
        service="iam",
        operation="list_policies",
        items="Policies",
        id="Arn",
        arn="Arn",
        arn_type="iam:policy",
        name="PolicyName",
        name_input="name",
        tags=TagCall("list_policy_tags", "PolicyArn", "Arn", "Tags"),
        request={"Scope": "Local"},
        delete=_delete_policy,
        rank=85,
    ),
    Kind(
        resource_type="aws:iam/role:Role",
        service="iam",
        operation="list_roles",
        items="Roles[?!starts_with(Path, '/aws-service-role/')]",
        id="RoleName",
        arn="Arn",
        arn_type="iam:role",
        name="RoleName",
        name_input="name",
        tags=TagCall("list_role_tags", "RoleName", "RoleName", "Tags"),
        delete=_delete_role,
        rank=80,
    ),
    Kind(
        resource_type="aws:kms/key:Key",
        service="kms",
        operation="list_keys",
        items="Keys",
        id="KeyId",
        arn="KeyArn",
        arn_type="kms:key",
        # KMS's own keys refuse to show their tags, and never carry ours.
        detail=Detail("describe_key", "KeyId", "KeyId", "KeyMetadata"),
        tags=TagCall("list_resource_tags", "KeyId", "KeyId", "Tags"),
        state="KeyState",
        delete=simply("schedule_key_deletion", "KeyId", PendingWindowInDays=KEY_WINDOW_DAYS),
        rank=95,
        holds_data=True,
    ),
)
