"""The facts that claims state: what is required of each, and which controls it is evidence for."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from infra.audit import controls
from infra.audit.models import Comparison, Requirement, Value

Section = Literal["encryption", "exposure", "backups", "availability", "versions", "logging"]

RETENTION_DAYS = 30
"""Mission row M50: automated daily backups are kept 30 days."""


@dataclass(frozen=True)
class Fact:
    """A fact.

    Attributes:
        name: As claims name it.
        section: Where a component's claims on it are listed.
        requirement: What its value has to be.
        controls: What it is evidence for.
    """

    name: str
    section: Section
    requirement: Requirement
    controls: tuple[str, ...]


def _requires(comparison: Comparison, operand: Value | None = None) -> Requirement:
    return Requirement(comparison=comparison, operand=operand)


_YES = _requires(Comparison.EQUALS, True)
_NO = _requires(Comparison.EQUALS, False)
_PRESENT = _requires(Comparison.PRESENT)
_AT_REST = (controls.LOGICAL_ACCESS,)
_INSIDE = _requires(Comparison.WITHIN)
"""The operand is the network of the stack, which the document fills in."""

# Majors in standard support, late 2026. RDS:
# https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/ DocumentDB:
# https://docs.aws.amazon.com/documentdb/latest/developerguide/release-notes.html; ElastiCache:
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html; Amazon MQ:
# https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-version-management.html
_POSTGRES = ("14", "15", "16", "17", "18")
_DOCUMENT_DB = ("5.0", "8.0")
_VALKEY = ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1")
_RABBITMQ = ("3.13", "4.2")
# https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
_KUBERNETES = ("1.34", "1.35", "1.36")

_CONTROL_PLANE_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")

_FACTS = (
    Fact(
        "rds.instance.storageEncrypted",
        "encryption",
        _YES,
        (controls.RDS_ENCRYPTED, controls.LOGICAL_ACCESS),
    ),
    Fact("rds.instance.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("rds.instance.publiclyAccessible", "exposure", _NO, (controls.RDS_PRIVATE, controls.BOUNDARY)),
    Fact(
        "rds.instance.backupRetentionDays",
        "backups",
        _requires(Comparison.AT_LEAST, RETENTION_DAYS),
        (controls.BACKUPS,),
    ),
    Fact("rds.instance.deletionProtection", "backups", _YES, (controls.BACKUPS,)),
    Fact("rds.instance.multiAz", "availability", _YES, (controls.CAPACITY,)),
    Fact(
        "rds.instance.majorVersion",
        "versions",
        _requires(Comparison.ONE_OF, _POSTGRES),
        (controls.VULNERABILITIES,),
    ),
    Fact(
        "rds.instance.autoMinorVersionUpgrade",
        "versions",
        _YES,
        (controls.RDS_MINOR_UPGRADES, controls.VULNERABILITIES),
    ),
    Fact("rds.parameterGroup.forceSsl", "encryption", _YES, (controls.TRANSMISSION,)),
    Fact("rds.proxy.requireTls", "encryption", _YES, (controls.TRANSMISSION,)),
    Fact("docdb.cluster.storageEncrypted", "encryption", _YES, _AT_REST),
    Fact("docdb.cluster.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact(
        "docdb.cluster.backupRetentionDays",
        "backups",
        _requires(Comparison.AT_LEAST, RETENTION_DAYS),
        (controls.BACKUPS,),
    ),
    Fact("docdb.cluster.deletionProtection", "backups", _YES, (controls.BACKUPS,)),
    Fact(
        "docdb.cluster.version",
        "versions",
        _requires(Comparison.ONE_OF, _DOCUMENT_DB),
        (controls.VULNERABILITIES,),
    ),
    Fact("docdb.cluster.auditLogs", "logging", _YES, (controls.MONITORING,)),
    Fact("docdb.instance.availabilityZone", "availability", _PRESENT, (controls.CAPACITY,)),
    Fact("docdb.parameterGroup.tls", "encryption", _YES, (controls.TRANSMISSION,)),
    Fact("elasticache.replicationGroup.encryptedAtRest", "encryption", _YES, _AT_REST),
    Fact("elasticache.replicationGroup.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("elasticache.replicationGroup.encryptedInTransit", "encryption", _YES, (controls.TRANSMISSION,)),
    Fact(
        "elasticache.replicationGroup.userGroups",
        "exposure",
        _PRESENT,
        (controls.LOGICAL_ACCESS,),
    ),
    Fact("elasticache.replicationGroup.multiAz", "availability", _YES, (controls.CAPACITY,)),
    Fact("elasticache.replicationGroup.automaticFailover", "availability", _YES, (controls.CAPACITY,)),
    Fact(
        "elasticache.replicationGroup.snapshotRetentionDays",
        "backups",
        _requires(Comparison.AT_LEAST, RETENTION_DAYS),
        (controls.BACKUPS,),
    ),
    Fact(
        "elasticache.replicationGroup.version",
        "versions",
        _requires(Comparison.ONE_OF, _VALKEY),
        (controls.VULNERABILITIES,),
    ),
    Fact("mq.broker.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("mq.broker.publiclyAccessible", "exposure", _NO, (controls.BOUNDARY,)),
    Fact(
        "mq.broker.deploymentMode",
        "availability",
        _requires(Comparison.EQUALS, "CLUSTER_MULTI_AZ"),
        (controls.CAPACITY,),
    ),
    Fact(
        "mq.broker.version",
        "versions",
        _requires(Comparison.ONE_OF, _RABBITMQ),
        (controls.VULNERABILITIES,),
    ),
    Fact("mq.broker.generalLogs", "logging", _YES, (controls.MONITORING,)),
    Fact("kms.key.rotation", "encryption", _YES, (controls.KEY_ROTATION, controls.LOGICAL_ACCESS)),
    Fact("kms.key.state", "encryption", _requires(Comparison.EQUALS, "Enabled"), _AT_REST),
    Fact("ecr.repository.publicPolicy", "exposure", _NO, (controls.LOGICAL_ACCESS, controls.BOUNDARY)),
    Fact(
        "ecr.repository.tagMutability",
        "versions",
        _requires(Comparison.ONE_OF, ("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION")),
        (controls.SOUND_SOFTWARE,),
    ),
    Fact("ecr.repository.scanOnPush", "versions", _YES, (controls.VULNERABILITIES,)),
    Fact("ecr.repository.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact(
        "ec2.flowLog.trafficType",
        "logging",
        _requires(Comparison.EQUALS, "ALL"),
        (controls.FLOW_LOGS, controls.MONITORING),
    ),
    Fact(
        "ec2.defaultSecurityGroup.rules",
        "exposure",
        _requires(Comparison.EQUALS, 0),
        (controls.DEFAULT_GROUP_CLOSED, controls.BOUNDARY),
    ),
    Fact(
        "ec2.securityGroupRule.sources",
        "exposure",
        _INSIDE,
        (controls.NO_OPEN_INGRESS, controls.BOUNDARY),
    ),
    Fact(
        "ec2.securityGroup.openings",
        "exposure",
        _INSIDE,
        (controls.NO_OPEN_INGRESS, controls.BOUNDARY),
    ),
    Fact(
        "ec2.routeTable.waysOut",
        "exposure",
        _requires(Comparison.EQUALS, ()),
        (controls.BOUNDARY,),
    ),
    Fact("secretsmanager.secret.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("secretsmanager.secret.publicPolicy", "exposure", _NO, (controls.LOGICAL_ACCESS, controls.BOUNDARY)),
    Fact(
        "secretsmanager.secret.rotationDays",
        "exposure",
        _requires(Comparison.AT_MOST, 90),
        (controls.LOGICAL_ACCESS,),
    ),
    Fact("sns.topic.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("sns.topic.publicPolicy", "exposure", _NO, (controls.LOGICAL_ACCESS, controls.BOUNDARY)),
    Fact("logs.logGroup.encryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact(
        "logs.logGroup.retentionDays",
        "logging",
        _requires(Comparison.AT_LEAST, 90),
        (controls.MONITORING,),
    ),
    Fact(
        "eks.cluster.version",
        "versions",
        _requires(Comparison.ONE_OF, _KUBERNETES),
        (controls.VULNERABILITIES,),
    ),
    Fact(
        "eks.cluster.endpointPrivateAccess",
        "exposure",
        _YES,
        (controls.EKS_PRIVATE_ENDPOINT, controls.BOUNDARY),
    ),
    Fact("eks.cluster.openToInternet", "exposure", _NO, (controls.EKS_ENDPOINT, controls.BOUNDARY)),
    Fact(
        "eks.cluster.secretsEncryptionKey",
        "encryption",
        _PRESENT,
        (controls.EKS_SECRETS_KEY, controls.LOGICAL_ACCESS),
    ),
    Fact(
        "eks.cluster.controlPlaneLogs",
        "logging",
        _requires(Comparison.EQUALS, _CONTROL_PLANE_LOGS),
        (controls.EKS_AUDIT_LOGS, controls.MONITORING),
    ),
    Fact(
        "eks.cluster.authenticationMode",
        "exposure",
        _requires(Comparison.EQUALS, "API"),
        (controls.EKS_IAM_USERS, controls.LOGICAL_ACCESS),
    ),
    Fact("eks.cluster.deletionProtection", "backups", _YES, (controls.BACKUPS,)),
    Fact(
        "eks.cluster.accessEntries",
        "exposure",
        _PRESENT,
        (controls.EKS_IAM_USERS, controls.EKS_LEAST_PRIVILEGE, controls.LOGICAL_ACCESS),
    ),
    Fact(
        "eks.nodeGroup.version",
        "versions",
        _requires(Comparison.ONE_OF, _KUBERNETES),
        (controls.VULNERABILITIES,),
    ),
    Fact(
        "eks.nodeGroup.subnetCount",
        "availability",
        _requires(Comparison.AT_LEAST, 3),
        (controls.CAPACITY,),
    ),
    Fact("eks.nodeGroup.repair", "availability", _YES, (controls.CAPACITY,)),
    Fact(
        "ec2.launchTemplate.imdsV2Required",
        "exposure",
        _YES,
        (controls.METADATA_SERVICE, controls.LOGICAL_ACCESS),
    ),
    Fact(
        "ec2.launchTemplate.metadataHopLimit",
        "exposure",
        _requires(Comparison.AT_MOST, 1),
        (controls.METADATA_SERVICE, controls.LOGICAL_ACCESS),
    ),
    Fact("ec2.launchTemplate.volumesEncrypted", "encryption", _YES, _AT_REST),
    Fact("ec2.launchTemplate.volumeEncryptionKey", "encryption", _PRESENT, _AT_REST),
    Fact("eks.addon.version", "versions", _PRESENT, (controls.VULNERABILITIES,)),
    Fact("eks.addon.networkPolicy", "exposure", _YES, (controls.EKS_CNI_POLICIES, controls.BOUNDARY)),
    Fact(
        "eks.accessEntry.groups",
        "exposure",
        _PRESENT,
        (controls.EKS_IAM_USERS, controls.EKS_LEAST_PRIVILEGE, controls.LOGICAL_ACCESS),
    ),
    Fact(
        "eks.podIdentityAssociation.role",
        "exposure",
        _PRESENT,
        (controls.EKS_WORKLOAD_IDENTITY, controls.LOGICAL_ACCESS),
    ),
    Fact(
        "kubernetes.namespace.podSecurity",
        "exposure",
        _requires(Comparison.EQUALS, "restricted"),
        (controls.EKS_POD_SECURITY, controls.LOGICAL_ACCESS),
    ),
    Fact("kubernetes.resourceQuota.hard", "availability", _PRESENT, (controls.CAPACITY,)),
    Fact(
        "kubernetes.networkPolicy.deniesByDefault",
        "exposure",
        _YES,
        (controls.EKS_NAMESPACE_POLICIES, controls.BOUNDARY),
    ),
)

FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for fact in _FACTS})
"""Every fact by name."""
