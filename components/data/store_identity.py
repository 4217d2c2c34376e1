"""Physical names of a store that must be known before it exists, and the log groups that carry them."""

import re
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
import pulumi_random as random

_MAX_BACKUP_DAYS = 35


def incarnation(name: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Give a store the suffix of its physical names.

    AWS derives a database's log groups and we derive its final snapshot from its identifier, so these names
    cannot be left to auto-naming. The suffix is drawn anew when a stack is built again, so that the final
    snapshot that the former store left behind never stands in the way.

    Args:
        name: Logical name of the store.
        parent: The component that owns the store.

    Returns:
        Six hexadecimal digits.
    """
    return random.RandomId(
        f"{name}-incarnation", byte_length=3, opts=pulumi.ResourceOptions(parent=parent)
    ).hex


def zone_letter(zone: str) -> str:
    """The letter of an availability zone (`us-east-1a`: `a`), by which children are named.

    Raises:
        ValueError: it is not the name of a zone.
    """
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", zone):
        raise ValueError(f"{zone!r} is no availability zone: write it like us-east-1a")
    return zone[-1]


def check_backup_days(days: int) -> None:
    """Hold a retention against what AWS keeps.

    Args:
        days: Days of automated backups; without any, RDS could have no replica and nobody a recovery.

    Raises:
        ValueError: it is less than one day or more than AWS takes.
    """
    if not 1 <= days <= _MAX_BACKUP_DAYS:
        raise ValueError(
            f"backups are to be kept {days} days; AWS takes 1 to {_MAX_BACKUP_DAYS}: "
            "keep older ones as copies in AWS Backup"
        )


def store_log_groups(
    name: str,
    *,
    parent: pulumi.Resource,
    prefix: pulumi.Input[str],
    logs: tuple[str, ...],
    key_arn: pulumi.Input[str],
    retention_days: int,
) -> Mapping[str, aws.cloudwatch.LogGroup]:
    """Make a store's log groups before AWS would: its own are unencrypted and kept for ever.

    Args:
        name: Logical name of the store.
        parent: The component that owns the store.
        prefix: Physical name up to the log's own, such as `/aws/rds/instance/postgres-1a2b3c`.
        logs: The exported logs.
        key_arn: KMS key of the groups.
        retention_days: Days that events are kept; one of the values CloudWatch Logs takes.

    Returns:
        Log group of each exported log.
    """
    return {
        log: aws.cloudwatch.LogGroup(
            f"{name}-log-{log}",
            name=pulumi.Output.concat(prefix, "/", log),
            kms_key_id=key_arn,
            retention_in_days=retention_days,
            tags={"Name": f"{name}-log-{log}"},
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for log in logs
    }
