"""Where each fact is looked up in AWS.

A lookup names one API call, what it is asked and where the value stands in the answer; the answer's words
are turned into the words of the claims, nothing more. Judging is not done here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from operations.clients import Clients


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    return str(value or "")


def _count(value: Any) -> int:
    return int(value or 0)


def _major(value: Any) -> str:
    return str(value or "").split(".", maxsplit=1)[0]


def _minor(value: Any) -> str:
    return ".".join(str(value or "").split(".")[:2])


def _strings(value: Any) -> list[str]:
    return sorted(str(each) for each in value or () if each)


def _openings(permissions: Any) -> list[str]:
    """Return what a security group's permissions admit, one `PROTOCOL PORTS SOURCE` per source."""
    found = set()
    for permission in permissions or ():
        protocol = permission["IpProtocol"]
        ports = "all" if protocol == "-1" else f"{permission.get('FromPort')}-{permission.get('ToPort')}"
        sources = jmespath.search(
            "[IpRanges[].CidrIp, Ipv6Ranges[].CidrIpv6, PrefixListIds[].PrefixListId,"
            " UserIdGroupPairs[].GroupId][]",
            permission,
        )
        found |= {f"{protocol} {ports} {source}" for source in sources or () if source}
    return sorted(found)


@dataclass(frozen=True)
class Lookup:
    """How a fact is looked up.

    Attributes:
        service: boto3 service.
        operation: boto3 method.
        parameter: Its parameter that takes the subject; ends in `[]` when it takes a list.
        path: JMESPath of the value in the answer; `$subject` in it is what is asked about.
        shape: Turns the value into the claims' words.
        request: Further arguments.
        many: Whether all pages are read, and their values joined, before shaping.
        subject_of: Looks up what to ask about, where AWS keeps the value at a part of the thing.
    """

    service: str
    operation: str
    parameter: str
    path: str
    shape: Callable[[Any], Any] = _same
    request: Mapping[str, Any] = field(default_factory=dict)
    many: bool = False
    subject_of: "Lookup | None" = None

    @property
    def call(self) -> str:
        """The call as a person writes it."""
        return f"{self.service}.{self.operation}"

    def look(self, clients: Clients, subject: str) -> Any:
        """Ask AWS.

        Args:
            clients: Clients of the stack's region.
            subject: What is asked about.

        Returns:
            The value as a claim would state it; None when AWS knows the thing but not this of it.

        Raises:
            botocore.exceptions.ClientError: AWS refuses, or there is no such thing.
        """
        client = clients.get(self.service)
        if self.subject_of:
            subject = str(self.subject_of.look(clients, subject))
        name = self.parameter.removesuffix("[]")
        path = self.path.replace("$subject", subject)
        request = {**self.request, name: [subject] if self.parameter.endswith("[]") else subject}
        if self.many:
            pages = client.get_paginator(self.operation).paginate(**request)
            found: Any = [each for page in pages for each in jmespath.search(path, page) or ()]
        else:
            found = jmespath.search(path, getattr(client, self.operation)(**request))
        return self.shape(found)


def _instance(path: str, shape: Callable[[Any], Any] = _same) -> Lookup:
    return Lookup("rds", "describe_db_instances", "DBInstanceIdentifier", f"DBInstances[0].{path}", shape)


def _document_cluster(path: str, shape: Callable[[Any], Any] = _same) -> Lookup:
    return Lookup("docdb", "describe_db_clusters", "DBClusterIdentifier", f"DBClusters[0].{path}", shape)


def _cache(path: str, shape: Callable[[Any], Any] = _same) -> Lookup:
    return Lookup(
        "elasticache",
        "describe_replication_groups",
        "ReplicationGroupId",
        f"ReplicationGroups[0].{path}",
        shape,
    )


def _broker(path: str, shape: Callable[[Any], Any] = _same) -> Lookup:
    return Lookup("mq", "describe_broker", "BrokerId", path, shape)


def _repository(path: str, shape: Callable[[Any], Any] = _same) -> Lookup:
    return Lookup("ecr", "describe_repositories", "repositoryNames[]", f"repositories[0].{path}", shape)


def _is_on(value: Any) -> bool:
    return any(str(each) in {"1", "on", "true"} for each in value)


def _is_not_disabled(value: Any) -> bool:
    return "disabled" not in value


_SOURCES = "SecurityGroupRules[0].[CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupInfo.GroupId]"

LOOKUPS: Mapping[str, Lookup] = {
    "rds.instance.storageEncrypted": _instance("StorageEncrypted"),
    "rds.instance.encryptionKey": _instance("KmsKeyId", _text),
    "rds.instance.publiclyAccessible": _instance("PubliclyAccessible"),
    "rds.instance.backupRetentionDays": _instance("BackupRetentionPeriod", _count),
    "rds.instance.deletionProtection": _instance("DeletionProtection"),
    "rds.instance.multiAz": _instance("MultiAZ"),
    "rds.instance.majorVersion": _instance("EngineVersion", _major),
    "rds.instance.autoMinorVersionUpgrade": _instance("AutoMinorVersionUpgrade"),
    "rds.parameterGroup.forceSsl": Lookup(
        "rds",
        "describe_db_parameters",
        "DBParameterGroupName",
        "Parameters[?ParameterName=='rds.force_ssl'].ParameterValue",
        _is_on,
        many=True,
    ),
    "rds.proxy.requireTls": Lookup("rds", "describe_db_proxies", "DBProxyName", "DBProxies[0].RequireTLS"),
    "docdb.cluster.storageEncrypted": _document_cluster("StorageEncrypted"),
    "docdb.cluster.encryptionKey": _document_cluster("KmsKeyId", _text),
    "docdb.cluster.backupRetentionDays": _document_cluster("BackupRetentionPeriod", _count),
    "docdb.cluster.deletionProtection": _document_cluster("DeletionProtection"),
    "docdb.cluster.version": _document_cluster("EngineVersion", _minor),
    "docdb.cluster.auditLogs": _document_cluster("contains(EnabledCloudwatchLogsExports || `[]`, 'audit')"),
    "docdb.instance.availabilityZone": Lookup(
        "docdb", "describe_db_instances", "DBInstanceIdentifier", "DBInstances[0].AvailabilityZone", _text
    ),
    "docdb.parameterGroup.tls": Lookup(
        "docdb",
        "describe_db_cluster_parameters",
        "DBClusterParameterGroupName",
        "Parameters[?ParameterName=='tls'].ParameterValue",
        _is_not_disabled,
        many=True,
    ),
    "elasticache.replicationGroup.encryptedAtRest": _cache("AtRestEncryptionEnabled"),
    "elasticache.replicationGroup.encryptionKey": _cache("KmsKeyId", _text),
    "elasticache.replicationGroup.encryptedInTransit": _cache("TransitEncryptionEnabled"),
    "elasticache.replicationGroup.userGroups": _cache("UserGroupIds", _strings),
    "elasticache.replicationGroup.multiAz": _cache("MultiAZ == 'enabled'"),
    "elasticache.replicationGroup.automaticFailover": _cache("AutomaticFailover == 'enabled'"),
    "elasticache.replicationGroup.snapshotRetentionDays": _cache("SnapshotRetentionLimit", _count),
    # The version stands at the nodes only.
    "elasticache.replicationGroup.version": Lookup(
        "elasticache",
        "describe_cache_clusters",
        "CacheClusterId",
        "CacheClusters[0].EngineVersion",
        _minor,
        subject_of=_cache("MemberClusters[0]", _text),
    ),
    "mq.broker.encryptionKey": _broker("EncryptionOptions.KmsKeyId", _text),
    "mq.broker.publiclyAccessible": _broker("PubliclyAccessible"),
    "mq.broker.deploymentMode": _broker("DeploymentMode", _text),
    "mq.broker.version": _broker("EngineVersion", _minor),
    "mq.broker.generalLogs": _broker("Logs.General"),
    "kms.key.rotation": Lookup("kms", "get_key_rotation_status", "KeyId", "KeyRotationEnabled"),
    "ecr.repository.tagMutability": _repository("imageTagMutability", _text),
    "ecr.repository.scanOnPush": _repository("imageScanningConfiguration.scanOnPush"),
    "ecr.repository.encryptionKey": _repository("encryptionConfiguration.kmsKey", _text),
    "ec2.flowLog.trafficType": Lookup(
        "ec2", "describe_flow_logs", "FlowLogIds[]", "FlowLogs[0].TrafficType", _text
    ),
    "ec2.defaultSecurityGroup.rules": Lookup(
        "ec2",
        "describe_security_groups",
        "GroupIds[]",
        "length(SecurityGroups[0].[IpPermissions, IpPermissionsEgress][])",
    ),
    "ec2.securityGroup.openings": Lookup(
        "ec2", "describe_security_groups", "GroupIds[]", "SecurityGroups[0].IpPermissions", _openings
    ),
    "ec2.securityGroupRule.sources": Lookup(
        "ec2", "describe_security_group_rules", "SecurityGroupRuleIds[]", _SOURCES, _strings
    ),
    "secretsmanager.secret.encryptionKey": Lookup(
        "secretsmanager", "describe_secret", "SecretId", "KmsKeyId", _text
    ),
    "secretsmanager.secret.rotationDays": Lookup(
        "secretsmanager",
        "describe_secret",
        "SecretId",
        "RotationEnabled && RotationRules.AutomaticallyAfterDays || `0`",
        _count,
    ),
    "sns.topic.encryptionKey": Lookup(
        "sns", "get_topic_attributes", "TopicArn", "Attributes.KmsMasterKeyId", _text
    ),
    "logs.logGroup.encryptionKey": Lookup(
        "logs",
        "describe_log_groups",
        "logGroupNamePrefix",
        "logGroups[?logGroupName=='$subject'] | [0].kmsKeyId",
        _text,
    ),
    "logs.logGroup.retentionDays": Lookup(
        "logs",
        "describe_log_groups",
        "logGroupNamePrefix",
        "logGroups[?logGroupName=='$subject'] | [0].retentionInDays",
        _count,
    ),
}
"""Lookups by fact."""
