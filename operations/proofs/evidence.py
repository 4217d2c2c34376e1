"""Where each fact is looked up in AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jmespath

from operations.proofs.cluster_evidence import CLUSTER_LOOKUPS
from operations.proofs.lookup import Lookup, count, major, minor, same, strings, text


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


def _ways_out(routes: Any) -> list[str]:
    """Return what a route table's routes lead to, but for the VPC itself and endpoints of AWS services."""
    targets = jmespath.search(
        "[].[GatewayId, NatGatewayId, EgressOnlyInternetGatewayId, TransitGatewayId, VpcPeeringConnectionId,"
        " NetworkInterfaceId, CarrierGatewayId, LocalGatewayId][]",
        routes or [],
    )
    return sorted({each for each in targets if each and each != "local" and not each.startswith("vpce-")})


def _allows_everyone(policy: Any) -> bool:
    """Tell whether a resource policy allows something to every principal without a condition."""
    statements = json.loads(policy or "{}").get("Statement", ())
    for each in [statements] if isinstance(statements, Mapping) else statements:
        principal = each.get("Principal")
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        everyone = "*" in ([named] if isinstance(named, str) else named or ())
        if everyone and each["Effect"] == "Allow" and not each.get("Condition"):
            return True
    return False


def _instance(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup("rds", "describe_db_instances", "DBInstanceIdentifier", f"DBInstances[0].{path}", shape)


def _document_cluster(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup("docdb", "describe_db_clusters", "DBClusterIdentifier", f"DBClusters[0].{path}", shape)


def _cache(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup(
        "elasticache",
        "describe_replication_groups",
        "ReplicationGroupId",
        f"ReplicationGroups[0].{path}",
        shape,
    )


def _broker(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup("mq", "describe_broker", "BrokerId", path, shape)


def _repository(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup("ecr", "describe_repositories", "repositoryNames[]", f"repositories[0].{path}", shape)


def _is_on(value: Any) -> bool:
    return any(str(each) in {"1", "on", "true"} for each in value)


def _is_not_disabled(value: Any) -> bool:
    return "disabled" not in value


_SOURCES = "SecurityGroupRules[0].[CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupInfo.GroupId]"

LOOKUPS: Mapping[str, Lookup] = {
    **CLUSTER_LOOKUPS,
    "rds.instance.storageEncrypted": _instance("StorageEncrypted"),
    "rds.instance.encryptionKey": _instance("KmsKeyId", text),
    "rds.instance.publiclyAccessible": _instance("PubliclyAccessible"),
    "rds.instance.backupRetentionDays": _instance("BackupRetentionPeriod", count),
    "rds.instance.deletionProtection": _instance("DeletionProtection"),
    "rds.instance.multiAz": _instance("MultiAZ"),
    "rds.instance.majorVersion": _instance("EngineVersion", major),
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
    "docdb.cluster.encryptionKey": _document_cluster("KmsKeyId", text),
    "docdb.cluster.backupRetentionDays": _document_cluster("BackupRetentionPeriod", count),
    "docdb.cluster.deletionProtection": _document_cluster("DeletionProtection"),
    "docdb.cluster.version": _document_cluster("EngineVersion", minor),
    "docdb.cluster.auditLogs": _document_cluster("contains(EnabledCloudwatchLogsExports || `[]`, 'audit')"),
    "docdb.instance.availabilityZone": Lookup(
        "docdb", "describe_db_instances", "DBInstanceIdentifier", "DBInstances[0].AvailabilityZone", text
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
    "elasticache.replicationGroup.encryptionKey": _cache("KmsKeyId", text),
    "elasticache.replicationGroup.encryptedInTransit": _cache("TransitEncryptionEnabled"),
    "elasticache.replicationGroup.userGroups": _cache("UserGroupIds", strings),
    "elasticache.replicationGroup.multiAz": _cache("MultiAZ == 'enabled'"),
    "elasticache.replicationGroup.automaticFailover": _cache("AutomaticFailover == 'enabled'"),
    "elasticache.replicationGroup.snapshotRetentionDays": _cache("SnapshotRetentionLimit", count),
    # The version stands at the nodes only.
    "elasticache.replicationGroup.version": Lookup(
        "elasticache",
        "describe_cache_clusters",
        "CacheClusterId",
        "CacheClusters[0].EngineVersion",
        minor,
        subject_of=_cache("MemberClusters[0]", text),
    ),
    "mq.broker.encryptionKey": _broker("EncryptionOptions.KmsKeyId", text),
    "mq.broker.publiclyAccessible": _broker("PubliclyAccessible"),
    "mq.broker.deploymentMode": _broker("DeploymentMode", text),
    "mq.broker.version": _broker("EngineVersion", minor),
    "mq.broker.generalLogs": _broker("Logs.General"),
    # "Enabled" alone: a disabled key, and one that waits for its destruction, can decrypt nothing.
    "kms.key.state": Lookup("kms", "describe_key", "KeyId", "KeyMetadata.KeyState", text),
    "kms.key.rotation": Lookup("kms", "get_key_rotation_status", "KeyId", "KeyRotationEnabled"),
    "ecr.repository.tagMutability": _repository("imageTagMutability", text),
    "ecr.repository.scanOnPush": _repository("imageScanningConfiguration.scanOnPush"),
    "ecr.repository.publicPolicy": Lookup(
        "ecr",
        "get_repository_policy",
        "repositoryName",
        "policyText",
        _allows_everyone,
        absent="RepositoryPolicyNotFoundException",
    ),
    "ecr.repository.encryptionKey": _repository("encryptionConfiguration.kmsKey", text),
    "ec2.flowLog.trafficType": Lookup(
        "ec2", "describe_flow_logs", "FlowLogIds[]", "FlowLogs[0].TrafficType", text
    ),
    "ec2.defaultSecurityGroup.rules": Lookup(
        "ec2",
        "describe_security_groups",
        "GroupIds[]",
        "length(SecurityGroups[0].[IpPermissions, IpPermissionsEgress][])",
    ),
    "ec2.routeTable.waysOut": Lookup(
        "ec2", "describe_route_tables", "RouteTableIds[]", "RouteTables[0].Routes", _ways_out
    ),
    "ec2.securityGroup.openings": Lookup(
        "ec2", "describe_security_groups", "GroupIds[]", "SecurityGroups[0].IpPermissions", _openings
    ),
    "ec2.securityGroupRule.sources": Lookup(
        "ec2", "describe_security_group_rules", "SecurityGroupRuleIds[]", _SOURCES, strings
    ),
    "secretsmanager.secret.encryptionKey": Lookup(
        "secretsmanager", "describe_secret", "SecretId", "KmsKeyId", text
    ),
    "secretsmanager.secret.publicPolicy": Lookup(
        "secretsmanager", "get_resource_policy", "SecretId", "ResourcePolicy", _allows_everyone
    ),
    "secretsmanager.secret.rotationDays": Lookup(
        "secretsmanager",
        "describe_secret",
        "SecretId",
        "RotationEnabled && RotationRules.AutomaticallyAfterDays || `0`",
        count,
    ),
    "sns.topic.encryptionKey": Lookup(
        "sns", "get_topic_attributes", "TopicArn", "Attributes.KmsMasterKeyId", text
    ),
    "sns.topic.publicPolicy": Lookup(
        "sns", "get_topic_attributes", "TopicArn", "Attributes.Policy", _allows_everyone
    ),
    "logs.logGroup.encryptionKey": Lookup(
        "logs",
        "describe_log_groups",
        "logGroupNamePrefix",
        "logGroups[?logGroupName=='$subject'] | [0].kmsKeyId",
        text,
    ),
    "logs.logGroup.retentionDays": Lookup(
        "logs",
        "describe_log_groups",
        "logGroupNamePrefix",
        "logGroups[?logGroupName=='$subject'] | [0].retentionInDays",
        count,
    ),
}
"""Lookups by fact."""
