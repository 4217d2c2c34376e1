"""Policies of KMS keys: who may use one, and for what. Pure functions."""

import json
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Statement = dict[str, Any]


class KeyUse(StrEnum):
    """What a service of AWS does with a key in its own name.

    Services that encrypt for a caller (RDS, ElastiCache, Secrets Manager, ECR) need no entry: they act with
    the caller's permission, or by a grant that the caller makes when it creates the resource.
    """

    LOG_GROUPS = "log-groups"
    ALARMS = "alarms"
    DATABASE_EVENTS = "database-events"
    NODE_VOLUMES = "node-volumes"


def key_policy(account_id: str, region: str, uses: Collection[KeyUse] = ()) -> str:
    """The policy document of a customer-managed key.

    The account's root statement hands the decision about everybody else to IAM; without it a key whose policy
    went wrong could be managed by nobody.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html

    Args:
        account_id: The account that owns the key.
        region: The key's region.
        uses: What services of AWS may do with it in their own name.

    Returns:
        JSON.
    """
    statements = [
        {
            "Sid": "DelegateToIam",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        *(_STATEMENTS[use](account_id, region) for use in sorted(uses)),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _log_groups(account_id: str, region: str) -> Statement:
    """CloudWatch Logs names the log group in the encryption context.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    return {
        "Sid": "EncryptLogGroups",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account_id}:log-group:*"
            }
        },
    }


def _alarms(account_id: str, _region: str) -> Statement:
    """CloudWatch publishes to an encrypted topic itself."""
    return _publisher("PublishAlarms", "cloudwatch.amazonaws.com", account_id)


def _database_events(account_id: str, _region: str) -> Statement:
    """RDS and DocumentDB publish their events to an encrypted topic themselves."""
    return _publisher("PublishDatabaseEvents", "events.rds.amazonaws.com", account_id)


def _publisher(sid: str, service: str, account_id: str) -> Statement:
    """A service that publishes to an encrypted topic, for this account only.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }


def _node_volumes(account_id: str, region: str) -> Statement:
    """EC2 Auto Scaling starts nodes in a role of its own, which no IAM policy of the account reaches.

    The role is named by condition: as the principal it would have to exist before the account's first group.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    role = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return {
        "Sid": "EncryptNodeVolumes",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": account_id,
                "kms:ViaService": f"ec2.{region}.amazonaws.com",
            },
            "ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{account_id}:role/{role}"},
        },
    }


_STATEMENTS: Mapping[KeyUse, Callable[[str, str], Statement]] = MappingProxyType(
    {
        KeyUse.LOG_GROUPS: _log_groups,
        KeyUse.ALARMS: _alarms,
        KeyUse.DATABASE_EVENTS: _database_events,
        KeyUse.NODE_VOLUMES: _node_volumes,
    }
)
