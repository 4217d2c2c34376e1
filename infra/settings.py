"""The settings of a production stack: what the stack file may say, checked before anything is planned.

Each top-level field is one key of the stack file (`cloudcommerce:network`). Everything here is plain data, so
that tests and editors can check a stack file without an engine or an account.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components.data import instance_classes
from components.data.storage import least_limit
from components.network.cidr import Tier, parse_vpc_cidr, plan_subnets
from components.tags import DataClass, Ownership, default_tags
from infra.cluster_settings import ClusterSettings
from infra.settings_section import Section, unique

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
# Audits look a year back.
MIN_LOG_RETENTION_DAYS = 365

InterfaceEndpoint = Literal[
    "autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "kms", "logs",
    "monitoring", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray",
]  # fmt: skip


def _accepted_by_cloudwatch(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        nearest = min((d for d in LOG_RETENTION_DAYS if d >= days), default=LOG_RETENTION_DAYS[-1])
        raise ValueError(f"CloudWatch Logs does not offer {days} days: take {nearest}, the next one up")
    return days


def _vpc_network(cidr: str) -> str:
    return str(parse_vpc_cidr(cidr))


def _of(table: Mapping[str, instance_classes.InstanceClass]) -> AfterValidator:
    def known(name: str) -> str:
        instance_classes.capacity(table, name)
        return name

    return AfterValidator(known)


class AwsSettings(Section):
    """Where the stack stands."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region, such as us-east-1.")
    account_id: str | None = Field(
        default=None,
        pattern=r"^\d{12}$",
        description="Account number (12 digits, in quotes). When set, any other account is refused.",
    )


class TagSettings(Section):
    """The tags on everything, beside project, environment and managed-by."""

    owner: str = Field(description="Team or address that answers for the stack.")
    cost_center: str = Field(description="Who pays for it.")
    data_class: DataClass = Field(
        description="Most sensitive data in it: public, internal, confidential or restricted."
    )
    extra: dict[str, str] = Field(default_factory=dict, description="Further tags, key to value.")

    @model_validator(mode="after")
    def _accepted_by_aws(self) -> Self:
        self.as_tags(project="project", environment="environment")
        return self

    def as_tags(self, *, project: str, environment: str) -> dict[str, str]:
        """The provider's default tags.

        Raises:
            ValueError: AWS would refuse one.
        """
        ownership = Ownership(
            project=project,
            environment=environment,
            owner=self.owner,
            cost_center=self.cost_center,
            data_class=self.data_class,
        )
        return default_tags(ownership, self.extra)


class SubnetPrefixSettings(Section):
    """Subnet sizes."""

    private: int | None = Field(default=None, description="Prefix length of a private subnet, such as 20.")
    public: int | None = Field(default=None, description="Prefix length of a public subnet, such as 22.")
    data: int | None = Field(default=None, description="Prefix length of a data subnet, such as 22.")

    def given(self) -> dict[Tier, int]:
        """The sizes that were set, by tier."""
        return {tier: prefix for tier in Tier if (prefix := getattr(self, tier.value)) is not None}


class NetworkSettings(Section):
    """The VPC."""

    cidr: Annotated[str, AfterValidator(_vpc_network)] = Field(
        description="Address range of the VPC: private space, /16 to /21."
    )
    zones: Annotated[tuple[str, ...], AfterValidator(unique)] = Field(
        min_length=3, description="Availability zones by name, three or more, all of aws.region."
    )
    nat_per_zone: bool = Field(
        default=True, description="One NAT gateway a zone (true), or one for all zones (false, cheaper)."
    )
    subnet_prefixes: SubnetPrefixSettings = Field(
        default=SubnetPrefixSettings(), description="Subnet sizes by tier, if the default plan does not suit."
    )
    interface_endpoints: Annotated[tuple[InterfaceEndpoint, ...], AfterValidator(unique)] = Field(
        default=(), description="AWS services that are reached without leaving the VPC; each costs per zone."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        plan_subnets(self.cidr, self.zones, self.subnet_prefixes.given())
        return self


class PostgresSettings(Section):
    """The relational database of orders and products."""

    instance_class: Annotated[str, _of(instance_classes.RDS)] = Field(
        description="RDS instance class, such as db.m7g.large."
    )
    engine_version: Literal["16", "17", "18"] = Field(
        default="17", description="PostgreSQL major; RDS keeps the minor up to date."
    )
    allocated_storage_gib: int = Field(ge=20, le=65536, description="First size of the volume in GiB.")
    max_allocated_storage_gib: int = Field(
        ge=22, le=65536, description="Size in GiB up to which RDS grows the volume."
    )

    @model_validator(mode="after")
    def _storage_can_grow(self) -> Self:
        least = least_limit(self.allocated_storage_gib)
        if self.max_allocated_storage_gib < least:
            raise ValueError(
                f"maxAllocatedStorageGib is {self.max_allocated_storage_gib}: RDS wants a tenth more than "
                f"allocatedStorageGib ({self.allocated_storage_gib}), so take {least} or more"
            )
        return self


class DocumentDbSettings(Section):
    """The document database of the users."""

    instance_class: Annotated[str, _of(instance_classes.DOCUMENT_DB)] = Field(
        description="DocumentDB instance class, such as db.r6g.large."
    )
    engine_version: Literal["5.0.0"] = Field(default="5.0.0", description="DocumentDB version.")


class ValkeySettings(Section):
    """Sessions and cache."""

    node_type: Annotated[str, _of(instance_classes.VALKEY)] = Field(
        description="ElastiCache node type, such as cache.m7g.large."
    )
    engine_version: Literal["8.0", "8.1", "8.2"] = Field(default="8.1", description="Valkey major.minor.")


class DataSettings(Section):
    """The data stores."""

    # RDS and DocumentDB keep point-in-time backups for 35 days at most, ElastiCache its snapshots likewise.
    backup_retention_days: int = Field(
        default=30,
        ge=30,
        le=35,
        description="Days that backups are kept: production keeps 30 to 35.",
    )
    postgres: PostgresSettings
    document_db: DocumentDbSettings
    valkey: ValkeySettings


class RabbitMqSettings(Section):
    """The broker."""

    instance_type: Annotated[str, _of(instance_classes.RABBITMQ)] = Field(
        description="Amazon MQ instance type, such as mq.m7g.large."
    )
    engine_version: Literal["4.2"] = Field(default="4.2", description="RabbitMQ major.minor.")


class MessagingSettings(Section):
    """The message broker."""

    rabbit_mq: RabbitMqSettings


class RegistrySettings(Section):
    """The images."""

    images: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")], ...], AfterValidator(unique)
    ] = Field(min_length=1, description="Image names, lower case with hyphens: a repository each.")
    keep_releases: int = Field(default=30, ge=1, description="Releases (tags v*) to keep of each image.")
    untagged_days: int = Field(default=7, ge=1, description="Days after which an untagged image goes.")
    build_days: int = Field(default=90, ge=1, description="Days after which an unreleased build goes.")


class ObservabilitySettings(Section):
    """Logs and alarms."""

    log_retention_days: Annotated[int, AfterValidator(_accepted_by_cloudwatch)] = Field(
        default=365,
        ge=MIN_LOG_RETENTION_DAYS,
        description=f"Days that logs are kept: {MIN_LOG_RETENTION_DAYS} or more, as CloudWatch offers them.",
    )
    alarm_emails: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...], AfterValidator(unique)
    ] = Field(default=(), description="E-mail addresses that alarms are sent to; each must confirm once.")


class ProtectionSettings(Section):
    """What keeps data from being deleted by mistake."""

    deletion_protection: bool = Field(
        default=True,
        description="Pulumi and AWS refuse to delete what holds data. `operations teardown` lifts it.",
    )


class Settings(Section):
    """All settings of a production stack."""

    environment: Literal["production"] = Field(description="Kind of stack: production or staging.")
    aws: AwsSettings
    tags: TagSettings
    network: NetworkSettings
    cluster: ClusterSettings
    data: DataSettings
    messaging: MessagingSettings
    registry: RegistrySettings
    observability: ObservabilitySettings = ObservabilitySettings()
    protection: ProtectionSettings = ProtectionSettings()

    @model_validator(mode="after")
    def _zones_lie_in_the_region(self) -> Self:
        strangers = [zone for zone in self.network.zones if zone[:-1] != self.aws.region]
        if strangers:
            raise ValueError(
                f"network.zones has {', '.join(strangers)}, but aws.region is {self.aws.region}: "
                f"take zones such as {self.aws.region}a, or change the region"
            )
        return self
