"""Which resources make claims, and from which of their outputs.

A claim's value is what the provider read back after the resource was made, never a constant of the program.
A getter that resolves to None says that the fact does not apply to this resource. What a security group
admits and where a route table leads is not in their outputs, where a refresh would put what was added by
hand: the document joins it from the rules and routes that the program made.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.audit.cluster_subjects import ACCESS_ENTRIES, CLUSTER_SUBJECTS
from infra.audit.getters import Subject, allows_everyone, flag, number, text, version
from infra.audit.models import Value

GROUP_OPENINGS = "ec2.securityGroup.openings"
"""The fact of a security group that is joined from its rules, whichever component made them."""

WAYS_OUT = "ec2.routeTable.waysOut"
"""The fact of an isolated subnet's route table that is joined from its routes; the VPC's own is none."""

JOINED = frozenset({ACCESS_ENTRIES, GROUP_OPENINGS, WAYS_OUT})
"""Facts whose value is joined from other resources; their getters only tell whether they apply."""


def parameter(parameters: Sequence[Any] | None, name: str) -> str:
    """Return the value of a database parameter among a group's, empty when the group leaves the default."""
    for each in parameters or ():
        entry = each if isinstance(each, Mapping) else {"name": each.name, "value": each.value}
        if entry["name"] == name:
            return str(entry["value"])
    return ""


def _of_primary(resource: Any, value: pulumi.Output[Value | None]) -> pulumi.Output[Value | None]:
    # A read replica is rebuilt from its source: it needs no backups and no standby of its own.
    return pulumi.Output.all(resource.replicate_source_db, value).apply(
        lambda both: None if both[0] else both[1]
    )


def _sources(rule: Any) -> pulumi.Output[Value | None]:
    named = (rule.cidr_ipv4, rule.cidr_ipv6, rule.prefix_list_id, rule.referenced_security_group_id)
    return pulumi.Output.all(*named).apply(lambda values: tuple(str(value) for value in values if value))


def opening(rule: aws.vpc.SecurityGroupIngressRule) -> pulumi.Output[dict[str, str]]:
    """Return what a rule adds to the claim of its security group, as `PROTOCOL PORTS SOURCE`."""
    return pulumi.Output.all(
        rule.security_group_id, rule.ip_protocol, rule.from_port, rule.to_port, _sources(rule)
    ).apply(lambda each: {"fact": GROUP_OPENINGS, "subject": each[0], "value": _admits(*each[1:])})


def way_out(route: aws.ec2.Route) -> pulumi.Output[dict[str, str]]:
    """Return what a route adds to the claim of its table: the gateway, or what else it leads to."""
    targets = (
        route.gateway_id,
        route.nat_gateway_id,
        route.egress_only_gateway_id,
        route.transit_gateway_id,
        route.vpc_peering_connection_id,
        route.network_interface_id,
    )
    return pulumi.Output.all(route.route_table_id, *targets).apply(
        lambda each: {"fact": WAYS_OUT, "subject": each[0], "value": next(filter(None, each[1:]), "unknown")}
    )


def _admits(protocol: str, first: int | None, last: int | None, sources: Sequence[str]) -> str:
    ports = "all" if protocol == "-1" else f"{first}-{last}"
    return f"{protocol} {ports} {' '.join(sources)}"


SUBJECTS: tuple[Subject, ...] = (
    Subject(
        aws.rds.Instance,
        lambda r: r.identifier,
        {
            "rds.instance.storageEncrypted": lambda r: flag(r.storage_encrypted),
            "rds.instance.encryptionKey": lambda r: text(r.kms_key_id),
            "rds.instance.publiclyAccessible": lambda r: flag(r.publicly_accessible),
            "rds.instance.backupRetentionDays": lambda r: _of_primary(r, number(r.backup_retention_period)),
            "rds.instance.deletionProtection": lambda r: flag(r.deletion_protection),
            "rds.instance.multiAz": lambda r: _of_primary(r, flag(r.multi_az)),
            "rds.instance.majorVersion": lambda r: version(r.engine_version, 1),
            "rds.instance.autoMinorVersionUpgrade": lambda r: flag(r.auto_minor_version_upgrade),
        },
    ),
    Subject(
        aws.rds.ParameterGroup,
        lambda r: r.name,
        {
            "rds.parameterGroup.forceSsl": lambda r: r.parameters.apply(
                lambda parameters: parameter(parameters, "rds.force_ssl") == "1"
            )
        },
    ),
    Subject(aws.rds.Proxy, lambda r: r.name, {"rds.proxy.requireTls": lambda r: flag(r.require_tls)}),
    Subject(
        aws.docdb.Cluster,
        lambda r: r.cluster_identifier,
        {
            "docdb.cluster.storageEncrypted": lambda r: flag(r.storage_encrypted),
            "docdb.cluster.encryptionKey": lambda r: text(r.kms_key_id),
            "docdb.cluster.backupRetentionDays": lambda r: number(r.backup_retention_period),
            "docdb.cluster.deletionProtection": lambda r: flag(r.deletion_protection),
            "docdb.cluster.version": lambda r: version(r.engine_version, 2),
            "docdb.cluster.auditLogs": lambda r: r.enabled_cloudwatch_logs_exports.apply(
                lambda exports: "audit" in (exports or ())
            ),
        },
    ),
    Subject(
        aws.docdb.ClusterInstance,
        lambda r: r.identifier,
        {"docdb.instance.availabilityZone": lambda r: text(r.availability_zone)},
    ),
    Subject(
        aws.docdb.ClusterParameterGroup,
        lambda r: r.name,
        {
            # TLS is DocumentDB's default; a group that leaves it alone has it.
            "docdb.parameterGroup.tls": lambda r: r.parameters.apply(
                lambda parameters: parameter(parameters, "tls") != "disabled"
            )
        },
    ),
    Subject(
        aws.elasticache.ReplicationGroup,
        lambda r: r.replication_group_id,
        {
            "elasticache.replicationGroup.encryptedAtRest": lambda r: flag(r.at_rest_encryption_enabled),
            "elasticache.replicationGroup.encryptionKey": lambda r: text(r.kms_key_id),
            "elasticache.replicationGroup.encryptedInTransit": lambda r: flag(r.transit_encryption_enabled),
            "elasticache.replicationGroup.userGroups": lambda r: r.user_group_ids.apply(
                lambda ids: tuple(ids or ())
            ),
            "elasticache.replicationGroup.multiAz": lambda r: flag(r.multi_az_enabled),
            "elasticache.replicationGroup.automaticFailover": lambda r: flag(r.automatic_failover_enabled),
            "elasticache.replicationGroup.snapshotRetentionDays": lambda r: number(
                r.snapshot_retention_limit
            ),
            "elasticache.replicationGroup.version": lambda r: version(r.engine_version, 2),
        },
    ),
    Subject(
        aws.mq.Broker,
        lambda r: r.id,
        {
            "mq.broker.encryptionKey": lambda r: r.encryption_options.apply(
                lambda options: (options.kms_key_id if options else None) or ""
            ),
            "mq.broker.publiclyAccessible": lambda r: flag(r.publicly_accessible),
            "mq.broker.deploymentMode": lambda r: text(r.deployment_mode),
            "mq.broker.version": lambda r: version(r.engine_version, 2),
            "mq.broker.generalLogs": lambda r: r.logs.apply(lambda logs: bool(logs and logs.general)),
        },
    ),
    Subject(
        aws.kms.Key,
        lambda r: r.key_id,
        {
            "kms.key.rotation": lambda r: flag(r.enable_key_rotation),
            "kms.key.state": lambda r: r.is_enabled.apply(
                lambda enabled: "Disabled" if enabled is False else "Enabled"
            ),
        },
    ),
    Subject(
        aws.ecr.Repository,
        lambda r: r.name,
        {
            # The program gives repositories no policy, so there is no output to read one from.
            "ecr.repository.publicPolicy": lambda r: r.name.apply(lambda _: False),
            "ecr.repository.tagMutability": lambda r: text(r.image_tag_mutability),
            "ecr.repository.scanOnPush": lambda r: r.image_scanning_configuration.apply(
                lambda scanning: bool(scanning and scanning.scan_on_push)
            ),
            "ecr.repository.encryptionKey": lambda r: r.encryption_configurations.apply(
                lambda each: (each[0].kms_key if each else None) or ""
            ),
        },
    ),
    Subject(aws.ec2.FlowLog, lambda r: r.id, {"ec2.flowLog.trafficType": lambda r: text(r.traffic_type)}),
    Subject(
        aws.ec2.DefaultSecurityGroup,
        lambda r: r.id,
        {
            "ec2.defaultSecurityGroup.rules": lambda r: pulumi.Output.all(r.ingress, r.egress).apply(
                lambda rules: sum(len(each or ()) for each in rules)
            )
        },
    ),
    Subject(aws.ec2.SecurityGroup, lambda r: r.id, {GROUP_OPENINGS: lambda r: r.id.apply(lambda _: ())}),
    Subject(
        aws.ec2.RouteTable,
        lambda r: r.id,
        {WAYS_OUT: lambda r: r.tags.apply(lambda tags: () if (tags or {}).get("Tier") == "data" else None)},
    ),
    Subject(
        aws.vpc.SecurityGroupIngressRule,
        lambda r: r.security_group_rule_id,
        {"ec2.securityGroupRule.sources": _sources},
    ),
    Subject(
        aws.secretsmanager.Secret,
        lambda r: r.arn,
        {
            "secretsmanager.secret.encryptionKey": lambda r: text(r.kms_key_id),
            "secretsmanager.secret.publicPolicy": lambda r: r.policy.apply(allows_everyone),
        },
    ),
    Subject(
        aws.secretsmanager.SecretRotation,
        lambda r: r.secret_id,
        {
            "secretsmanager.secret.rotationDays": lambda r: r.rotation_rules.apply(
                lambda rules: int(rules.automatically_after_days or 0)
            )
        },
    ),
    Subject(aws.sns.Topic, lambda r: r.arn, {"sns.topic.encryptionKey": lambda r: text(r.kms_master_key_id)}),
    Subject(
        aws.sns.TopicPolicy,
        lambda r: r.arn,
        {"sns.topic.publicPolicy": lambda r: r.policy.apply(allows_everyone)},
    ),
    Subject(
        aws.cloudwatch.LogGroup,
        lambda r: r.name,
        {
            "logs.logGroup.encryptionKey": lambda r: text(r.kms_key_id),
            "logs.logGroup.retentionDays": lambda r: number(r.retention_in_days),
        },
    ),
    *CLUSTER_SUBJECTS,
)
"""Every type of resource that makes claims."""
