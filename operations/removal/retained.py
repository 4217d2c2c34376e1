"""What AWS keeps by design after a stack is gone: declared here, and looked for in AWS.

Every row says from which resource it comes, why it stays and how to remove it. Whatever a teardown finds
beyond these rows is a failure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from operations.clients import Clients, is_missing
from operations.state import Deployment, Resource


@dataclass(frozen=True)
class Remainder:
    """One thing that stays.

    Attributes:
        id: What AWS calls it.
        what: What it is.
        why: Why it stays.
        until: When AWS removes it by itself; `for ever` otherwise.
        remove: The command that removes it.
    """

    id: str
    what: str
    why: str
    until: str
    remove: str


@dataclass(frozen=True)
class Retention:
    """A rule of what stays.

    Attributes:
        resource_type: Pulumi's type of the resource that leaves it.
        what: What stays.
        why: Why AWS, or we, keep it.
        find: Yields id and end of what stays of one resource.
        look: Command with which a person finds it; `{id}` is the thing's.
        remove: Command that removes it.
    """

    resource_type: str
    what: str
    why: str
    find: Callable[[Clients, Resource], Iterator[tuple[str, str]]]
    look: str
    remove: str


def remainders(clients: Clients, deployment: Deployment) -> tuple[Remainder, ...]:
    """Look for everything that may stay of a stack.

    Args:
        clients: Clients of its region.
        deployment: The state from before the teardown.

    Raises:
        botocore.exceptions.ClientError: AWS refuses to answer.
    """
    found: dict[str, Remainder] = {}
    for resource in deployment.cloud_resources:
        for rule in RETENTIONS:
            if rule.resource_type == resource.resource_type:
                for identity, until in _look(rule, clients, resource):
                    remove = rule.remove.format(id=identity)
                    found[identity] = Remainder(identity, rule.what, rule.why, until, remove)
    return tuple(found.values())


def _look(rule: Retention, clients: Clients, resource: Resource) -> list[tuple[str, str]]:
    try:
        return list(rule.find(clients, resource))
    except botocore.exceptions.ClientError as error:
        if is_missing(error):
            return []
        raise


def _database_snapshot(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    if name := _text(resource, "finalSnapshotIdentifier"):
        answer = clients.get("rds").describe_db_snapshots(DBSnapshotIdentifier=name)
        yield from ((each["DBSnapshotIdentifier"], "for ever") for each in answer["DBSnapshots"])


def _automated_backups(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.outputs.get("deleteAutomatedBackups") is not False:
        return
    answer = clients.get("rds").describe_db_instance_automated_backups(DbiResourceId=resource.id)
    for backup in answer["DBInstanceAutomatedBackups"]:
        days = backup.get("BackupRetentionPeriod")
        until = f"its backups are {days} days old" if days else "its retention ends"
        yield resource.id, until


def _cluster_snapshot(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    if name := _text(resource, "finalSnapshotIdentifier"):
        answer = clients.get("docdb").describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
        yield from (
            (each["DBClusterSnapshotIdentifier"], "for ever") for each in answer["DBClusterSnapshots"]
        )


def _cache_snapshot(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    if name := _text(resource, "finalSnapshotIdentifier"):
        answer = clients.get("elasticache").describe_snapshots(SnapshotName=name)
        yield from ((each["SnapshotName"], "for ever") for each in answer["Snapshots"])


def _pending_key(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    key = clients.get("kms").describe_key(KeyId=resource.id)["KeyMetadata"]
    if key["KeyState"] in {"PendingDeletion", "PendingReplicaDeletion"}:
        yield key["KeyId"], str(key.get("DeletionDate", "its window ends"))


def _pending_secret(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
    secret = clients.get("secretsmanager").describe_secret(SecretId=resource.id)
    if deleted := secret.get("DeletedDate"):
        yield secret["ARN"], str(deleted)


def _service_log_groups(prefix: str, key: str) -> Callable[[Clients, Resource], Iterator[tuple[str, str]]]:
    def find(clients: Clients, resource: Resource) -> Iterator[tuple[str, str]]:
        name = _text(resource, key)
        if not name:
            return
        pages = clients.get("logs").get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix=prefix.format(name)):
            for group in page["logGroups"]:
                days = group.get("retentionInDays")
                yield group["logGroupName"], f"its events are {days} days old" if days else "for ever"

    return find


def _service_role(name: str) -> Callable[[Clients, Resource], Iterator[tuple[str, str]]]:
    def find(clients: Clients, _: Resource) -> Iterator[tuple[str, str]]:
        yield clients.get("iam").get_role(RoleName=name)["Role"]["Arn"], "for ever"

    return find


def _text(resource: Resource, key: str) -> str:
    value = resource.outputs.get(key) or resource.inputs.get(key) or (resource.id if key == "id" else "")
    return value if isinstance(value, str) else ""


_LOG_GROUPS = (
    ("aws:eks/cluster:Cluster", "/aws/eks/{}/cluster", "name"),
    ("aws:rds/instance:Instance", "/aws/rds/instance/{}/", "identifier"),
    ("aws:rds/proxy:Proxy", "/aws/rds/proxy/{}", "name"),
    ("aws:docdb/cluster:Cluster", "/aws/docdb/{}/", "clusterIdentifier"),
    ("aws:mq/broker:Broker", "/aws/amazonmq/broker/{}/", "id"),
    ("aws:lambda/function:Function", "/aws/lambda/{}", "name"),
)

_SERVICE_ROLES = (
    ("aws:eks/cluster:Cluster", "AWSServiceRoleForAmazonEKS"),
    ("aws:eks/nodeGroup:NodeGroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    ("aws:eks/nodeGroup:NodeGroup", "AWSServiceRoleForAutoScaling"),
    ("aws:eks/nodeGroup:NodeGroup", "AWSServiceRoleForEC2Spot"),
    ("aws:rds/instance:Instance", "AWSServiceRoleForRDS"),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "AWSServiceRoleForElastiCache"),
    ("aws:mq/broker:Broker", "AWSServiceRoleForAmazonMQ"),
)

RETENTIONS: tuple[Retention, ...] = (
    Retention(
        "aws:rds/instance:Instance",
        "final snapshot of PostgreSQL",
        "the data of a production database is never deleted with its server",
        _database_snapshot,
        "aws rds describe-db-snapshots --snapshot-type manual",
        "aws rds delete-db-snapshot --db-snapshot-identifier {id}",
    ),
    Retention(
        "aws:rds/instance:Instance",
        "automated backups of PostgreSQL",
        "kept for point-in-time recovery, because the instance says so (deleteAutomatedBackups: false)",
        _automated_backups,
        "aws rds describe-db-instance-automated-backups",
        "aws rds delete-db-instance-automated-backup --dbi-resource-id {id}",
    ),
    Retention(
        "aws:docdb/cluster:Cluster",
        "final snapshot of DocumentDB",
        "the data of a production database is never deleted with its server",
        _cluster_snapshot,
        "aws docdb describe-db-cluster-snapshots --snapshot-type manual",
        "aws docdb delete-db-cluster-snapshot --db-cluster-snapshot-identifier {id}",
    ),
    Retention(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "final snapshot of Valkey",
        "sessions survive a rebuild of the cache",
        _cache_snapshot,
        "aws elasticache describe-snapshots --snapshot-source user",
        "aws elasticache delete-snapshot --snapshot-name {id}",
    ),
    Retention(
        "aws:kms/key:Key",
        "KMS key pending deletion",
        "KMS waits 7 to 30 days, for what is encrypted under a destroyed key is lost; the final snapshots "
        "need it: cancel the deletion to keep them readable",
        _pending_key,
        "aws kms list-keys",
        "KMS removes it by itself; to keep it: aws kms cancel-key-deletion --key-id {id}",
    ),
    Retention(
        "aws:secretsmanager/secret:Secret",
        "secret in its recovery window",
        "Secrets Manager waits 7 to 30 days, so that a mistake can be undone",
        _pending_secret,
        "aws secretsmanager list-secrets --include-planned-deletion",
        "aws secretsmanager delete-secret --secret-id {id} --force-delete-without-recovery",
    ),
    *(
        Retention(
            resource_type,
            "log group written by the service",
            "the service makes it, or makes it again while it shuts down; logs outlive what wrote them",
            _service_log_groups(prefix, key),
            f"aws logs describe-log-groups --log-group-name-prefix {prefix.format('')}",
            "aws logs delete-log-group --log-group-name {id}",
        )
        for resource_type, prefix, key in _LOG_GROUPS
    ),
    *(
        Retention(
            resource_type,
            "service-linked role",
            "one per account and service; other stacks of the account use it too",
            _service_role(role),
            "aws iam list-roles --path-prefix /aws-service-role/",
            f"aws iam delete-service-linked-role --role-name {role}",
        )
        for resource_type, role in _SERVICE_ROLES
    ),
)
"""Every rule; KMS: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html, Secrets Manager:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html, RDS:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html."""


def declared() -> list[dict[str, Any]]:
    """Return the rules as data, for people to read before anything happens."""
    return [
        {
            "type": rule.resource_type,
            "what": rule.what,
            "why": rule.why,
            "look": rule.look,
            "remove": rule.remove,
        }
        for rule in RETENTIONS
    ]
