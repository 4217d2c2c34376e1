"""The settings of clusters: what production and staging share, and what only EKS has."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components.cluster.instance_types import alike
from components.cluster.quota import Quota
from infra.settings_section import Section, unique

# A node of these carries the system pods of a zone; with one, its loss would take the DNS along.
MIN_MAIN_NODES = 2
# Fewer, and one shortage in the spot market takes all nodes at once.
MIN_SPOT_TYPES = 6

Principal = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:(role|user)/[\w+=,.@/-]+$")]


def _limited(cidr: str) -> str:
    """Check a network that may reach the API from outside.

    Raises:
        ValueError: It is none, or it is the whole Internet.
    """
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{cidr!r} is not an IPv4 network: {error}; write it as 203.0.113.0/24") from None
    if network.prefixlen == 0:
        raise ValueError(
            f"{cidr} opens the cluster's API to the Internet: list the networks of your offices or VPN"
        )
    return str(network)


def _of_one_size(names: tuple[str, ...]) -> tuple[str, ...]:
    # That some are needed is said by the field.
    return tuple(alike(names)) if names else names


InstanceTypes = Annotated[tuple[str, ...], AfterValidator(unique), AfterValidator(_of_one_size)]


class _NodeGroupSettings(Section):
    min_size: int = Field(ge=0, le=450, description="Fewest nodes.")
    max_size: int = Field(ge=1, le=450, description="Most nodes; in between the autoscaler decides.")
    volume_gib: int = Field(default=50, ge=20, le=16384, description="Root volume of a node in GiB.")

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_size < self.min_size:
            raise ValueError(f"maxSize is {self.max_size}, below minSize ({self.min_size}): raise it")
        return self


class MainNodeGroupSettings(_NodeGroupSettings):
    """Nodes that stay: on demand."""

    instance_types: InstanceTypes = Field(
        min_length=1, description="Instance types of one size, the preferred first, such as t3.medium."
    )
    min_size: int = Field(
        ge=MIN_MAIN_NODES, le=450, description=f"Fewest nodes: {MIN_MAIN_NODES} or more, in two zones."
    )


class SpotNodeGroupSettings(_NodeGroupSettings):
    """Nodes that AWS may take back."""

    instance_types: InstanceTypes = Field(
        min_length=MIN_SPOT_TYPES,
        description=(
            f"{MIN_SPOT_TYPES} or more types of one size: AWS runs short of spot nodes type by type, "
            "and each shortage then takes few of them."
        ),
    )


class NodeGroupsSettings(Section):
    """The node groups."""

    main: MainNodeGroupSettings
    spot: SpotNodeGroupSettings


class AccessSettings(Section):
    """Who may take which role of the cluster."""

    platform: Annotated[tuple[Principal, ...], AfterValidator(unique)] = Field(
        default=(), description="ARNs of IAM roles or users that may administer the cluster."
    )
    developer: Annotated[tuple[Principal, ...], AfterValidator(unique)] = Field(
        default=(), description="ARNs of IAM roles or users that work in the applications' namespaces."
    )
    auditor: Annotated[tuple[Principal, ...], AfterValidator(unique)] = Field(
        default=(), description="ARNs of IAM roles or users that may read everything but secrets."
    )
    ci: Annotated[tuple[Principal, ...], AfterValidator(unique)] = Field(
        default=(), description="ARNs of IAM roles or users in which previews and releases run."
    )


class QuotaSettings(Section):
    """What the pods of one application may take together."""

    cpu: int = Field(ge=1, description="Processors that they may ask for.")
    memory_gib: int = Field(ge=1, description="Memory in GiB that they may ask for.")
    pods: int = Field(ge=1, description="Pods that may run at a time.")
    storage_gib: int = Field(default=0, ge=0, description="Volumes in GiB.")

    def quota(self) -> Quota:
        """The quota as components take it."""
        return Quota(cpu=self.cpu, memory_gib=self.memory_gib, pods=self.pods, storage_gib=self.storage_gib)


class QuotasSettings(Section):
    """What each application may take of the cluster."""

    order: QuotaSettings = QuotaSettings(cpu=4, memoryGib=8, pods=40)
    product: QuotaSettings = QuotaSettings(cpu=4, memoryGib=8, pods=40)
    user: QuotaSettings = QuotaSettings(cpu=4, memoryGib=8, pods=40)

    def by_application(self) -> dict[str, Quota]:
        """The quotas, by application."""
        return {application: getattr(self, application).quota() for application in type(self).model_fields}


class AnyClusterSettings(Section):
    """The Kubernetes cluster."""

    version: Literal["1.34", "1.35", "1.36"] = Field(
        default="1.35", description="Kubernetes version; Pod Security Standards are those of it."
    )
    quotas: QuotasSettings = QuotasSettings()


class ClusterSettings(AnyClusterSettings):
    """The EKS cluster."""

    version: Literal["1.35"] = Field(
        default="1.35", description="Kubernetes version, for which the add-ons are pinned."
    )
    public_access_cidrs: Annotated[
        tuple[Annotated[str, AfterValidator(_limited)], ...], AfterValidator(unique)
    ] = Field(default=(), description="Networks that may reach the API from outside the VPC; none closes it.")
    node_groups: NodeGroupsSettings
    access: AccessSettings = AccessSettings()
