"""What a production stack is told: plain typed values, wherever they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.network.cidr import Tier
from stacks.cluster_plan import ClusterPlan


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """The VPC; see `components.network.vpc.VpcArgs` and `components.network.endpoints.VpcEndpointsArgs`."""

    cidr: str
    zones: Sequence[str]
    nat_per_zone: bool
    subnet_prefixes: Mapping[Tier, int]
    interface_endpoints: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PostgresPlan:
    """Size and version of the relational database (storage in GiB)."""

    instance_class: str
    engine_version: str
    allocated_storage: int
    max_allocated_storage: int


@dataclass(frozen=True, kw_only=True)
class DataPlan:
    """The data stores and the broker: instance classes and versions."""

    backup_retention_days: int
    postgres: PostgresPlan
    document_db_class: str
    document_db_version: str
    valkey_node_type: str
    valkey_version: str
    rabbitmq_type: str
    rabbitmq_version: str


@dataclass(frozen=True, kw_only=True)
class RegistryPlan:
    """Images by name, and how many of each stay."""

    images: Sequence[str]
    keep_releases: int
    untagged_days: int
    build_days: int


@dataclass(frozen=True, kw_only=True)
class ProductionArgs:
    """A whole production stack.

    Attributes:
        project: Name of the project; prefixes the names of images.
        account_id: The account that the stack stands in.
        region: The region that it stands in.
        deployer: ARN of who runs `pulumi up`, and administers the cluster for having made it.
        network: The VPC.
        cluster: The EKS cluster.
        data: The data stores.
        registry: The images.
        tags: For what is made by others than the AWS provider, which has them as default tags.
        log_retention_days: Days that logs are kept.
        alarm_emails: Addresses that alarms are sent to.
        deletion_protection: Whether Pulumi and AWS refuse to delete what holds data.
    """

    project: str
    account_id: pulumi.Input[str]
    region: str
    deployer: pulumi.Input[str]
    network: NetworkPlan
    cluster: ClusterPlan
    data: DataPlan
    registry: RegistryPlan
    tags: Mapping[str, str]
    log_retention_days: int
    alarm_emails: Sequence[str]
    deletion_protection: bool
