"""Amazon DocumentDB: the users' documents over three zones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.data.instance_classes import DOCUMENT_DB, capacity
from components.data.parameter import Parameter
from components.data.store_identity import check_backup_days, incarnation, store_log_groups, zone_letter
from components.network.access import store_security_group
from components.secrets.credential import Credential, CredentialArgs
from components.secrets.rotation import RotationTarget

PORT = 27017
_LOGS = ("audit", "profiler")
_CA = "rds-ca-rsa2048-g1"
# https://docs.aws.amazon.com/documentdb/latest/developerguide/API_CreateDBCluster.html
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")

PARAMETERS = (
    Parameter(name="tls", value="tls1.2+", apply_method="pending-reboot"),
    Parameter(name="audit_logs", value="enabled"),
    Parameter(name="profiler", value="enabled"),
)
"""`tls1.2+` is `enabled` without TLS 1.0 and 1.1. What is not named is wanted as it is by default: the
profiler logs every operation over 100 ms, and the store itself deletes sessions and tokens that ran out.
https://docs.aws.amazon.com/documentdb/latest/developerguide/cluster_parameter_groups-list_of_parameters.html"""


@dataclass(frozen=True, kw_only=True)
class DocumentDbArgs:
    """What the cluster needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        zones: Availability zones, one instance in each.
        client_security_group_ids: Who may connect on 27017, by a short stable name.
        instance_class: One of `components.data.instance_classes.DOCUMENT_DB`.
        data_key_arn: KMS key of the `customer` data class.
        logs_key_arn: KMS key of the `operations` data class.
        secrets_key_arn: KMS key of the `secrets` data class.
        services: Database of each service that connects (`{"user": "users"}`).
        deletion_protection: Whether DocumentDB refuses to delete the cluster.
        protect: Whether Pulumi refuses to delete the stateful resources.
        engine_version: DocumentDB version at creation.
        master_username: Administrator, used by the bootstrap program only; letters and digits.
        backup_retention_days: Days of point-in-time recovery, 1 to 35.
        log_retention_days: Days that the exported logs are kept.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    zones: Sequence[str]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_class: str
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    services: Mapping[str, str]
    deletion_protection: bool
    protect: bool
    engine_version: str = "5.0.0"
    master_username: str = "cloudcommerceadmin"
    backup_retention_days: int = 30
    log_retention_days: int = 365

    def __post_init__(self) -> None:
        check_backup_days(self.backup_retention_days)
        if not _USERNAME.fullmatch(self.master_username):
            raise ValueError(
                f"master_username is {self.master_username!r}; DocumentDB takes 1 to 63 letters and digits, "
                "a letter first"
            )
        if not self.zones:
            raise ValueError("zones is empty: name the availability zones, one instance is made in each")


class DocumentDb(pulumi.ComponentResource):
    """A DocumentDB cluster with an instance in every zone, private, encrypted, audited and TLS only.

    Attributes:
        endpoint: Host name of the writer.
        reader_endpoint: Host name that spreads reads over the replicas.
        port: TCP port.
        cluster_identifier: Identifier of the cluster.
        cluster_arn: ARN of the cluster.
        instance_identifiers: Instance in each zone, by the zone's letter.
        security_group_id: Group of the instances.
        master_secret_arn: Secret of the administrator.
        service_secret_arns: Secret of each service's user, by service.
        rotation_targets: What `Rotation` needs to rotate the administrator's password.
    """

    endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    cluster_identifier: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    instance_identifiers: pulumi.Output[Mapping[str, str]]
    security_group_id: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]
    rotation_targets: Mapping[str, RotationTarget]

    def __init__(self, name: str, args: DocumentDbArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:data:DocumentDb", name, None, opts)
        capacity(DOCUMENT_DB, args.instance_class)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._identifier = pulumi.Output.concat(name, "-", incarnation(name, self))
        group = store_security_group(
            name,
            parent=self,
            description="DocumentDB: its clients only",
            vpc_id=args.vpc_id,
            ports={"mongo": PORT},
            clients=args.client_security_group_ids,
        )
        master = self._credential("master", args.master_username)
        cluster = self._cluster(group, master)
        instances = {zone_letter(zone): self._instance(cluster, zone) for zone in args.zones}
        master_secret_arn = self._attach(master, cluster, "admin")
        services = {service: self._credential(service, f"{service}_service") for service in args.services}
        for service, credential in services.items():
            self._attach(credential, cluster, args.services[service])
        self.endpoint = cluster.endpoint
        self.reader_endpoint = cluster.reader_endpoint
        self.port = cluster.port.apply(lambda port: port or PORT)
        self.cluster_identifier = cluster.cluster_identifier
        self.cluster_arn = cluster.arn
        self.instance_identifiers = pulumi.Output.all(
            **{letter: instance.identifier for letter, instance in instances.items()}
        )
        self.security_group_id = group.id
        self.master_secret_arn = master_secret_arn
        self.service_secret_arns = pulumi.Output.all(
            **{service: credential.secret_arn for service, credential in services.items()}
        )
        self.rotation_targets = {
            f"{name}-master": RotationTarget(
                engine="docdb", secret_arn=master_secret_arn, resource_arn=cluster.arn
            )
        }
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "reader_endpoint": self.reader_endpoint,
                "port": self.port,
                "cluster_identifier": self.cluster_identifier,
                "cluster_arn": self.cluster_arn,
                "instance_identifiers": self.instance_identifiers,
                "security_group_id": self.security_group_id,
                "master_secret_arn": self.master_secret_arn,
                "service_secret_arns": self.service_secret_arns,
            }
        )

    def _credential(self, role: str, username: str) -> Credential:
        return Credential(
            f"{self._name}-{role}",
            CredentialArgs(
                engine="docdb",
                username=username,
                secrets_key_arn=self._args.secrets_key_arn,
                protect=self._args.protect,
            ),
            self._child,
        )

    def _attach(
        self, credential: Credential, cluster: aws.docdb.Cluster, database: str
    ) -> pulumi.Output[str]:
        return credential.attach(
            host=cluster.endpoint,
            port=PORT,
            resource_id=cluster.cluster_identifier,
            extra={"dbname": database, "reader_host": cluster.reader_endpoint},
        )

    def _cluster(self, group: aws.ec2.SecurityGroup, master: Credential) -> aws.docdb.Cluster:
        args, name = self._args, self._name
        subnets = aws.docdb.SubnetGroup(
            f"{name}-subnets",
            description="Isolated subnets of DocumentDB",
            subnet_ids=list(args.subnet_ids),
            tags={"Name": f"{name}-subnets"},
            opts=self._child,
        )
        parameters = aws.docdb.ClusterParameterGroup(
            f"{name}-parameters",
            family=f"docdb{'.'.join(args.engine_version.split('.')[:2])}",
            description="DocumentDB: TLS, audit, profiler",
            parameters=[
                {"name": p.name, "value": p.value, "apply_method": p.apply_method} for p in PARAMETERS
            ],
            tags={"Name": f"{name}-parameters"},
            opts=self._child,
        )
        log_groups = store_log_groups(
            name,
            parent=self,
            prefix=pulumi.Output.concat("/aws/docdb/", self._identifier),
            logs=_LOGS,
            key_arn=args.logs_key_arn,
            retention_days=args.log_retention_days,
        )
        return aws.docdb.Cluster(
            f"{name}-cluster",
            cluster_identifier=self._identifier,
            engine="docdb",
            engine_version=args.engine_version,
            master_username=args.master_username,
            master_password=master.password,
            port=PORT,
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            vpc_security_group_ids=[group.id],
            storage_encrypted=True,
            kms_key_id=args.data_key_arn,
            backup_retention_period=args.backup_retention_days,
            preferred_backup_window="03:30-04:30",
            preferred_maintenance_window="sun:05:30-sun:06:30",
            enabled_cloudwatch_logs_exports=list(_LOGS),
            deletion_protection=args.deletion_protection,
            skip_final_snapshot=False,
            final_snapshot_identifier=pulumi.Output.concat(self._identifier, "-final"),
            allow_major_version_upgrade=False,
            apply_immediately=False,
            tags={"Name": f"{name}-cluster"},
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=list(log_groups.values()),
                ignore_changes=["engineVersion", "masterPassword"],
            ),
        )

    def _instance(self, cluster: aws.docdb.Cluster, zone: str) -> aws.docdb.ClusterInstance:
        args, name = self._args, f"{self._name}-instance-{zone_letter(zone)}"
        return aws.docdb.ClusterInstance(
            name,
            identifier=pulumi.Output.concat(self._identifier, "-", zone_letter(zone)),
            cluster_identifier=cluster.id,
            engine="docdb",
            instance_class=args.instance_class,
            availability_zone=zone,
            ca_cert_identifier=_CA,
            auto_minor_version_upgrade=True,
            copy_tags_to_snapshot=True,
            enable_performance_insights=True,
            performance_insights_kms_key_id=args.data_key_arn,
            preferred_maintenance_window="sun:05:30-sun:06:30",
            # Any instance may become the writer: they are equal.
            promotion_tier=1,
            apply_immediately=False,
            tags={"Name": name},
            opts=self._child,
        )
