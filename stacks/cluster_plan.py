"""What a cluster is told: plain typed values, wherever they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.cluster.quota import Quota


@dataclass(frozen=True, kw_only=True)
class NodeGroupPlan:
    """A group of nodes; see `components.cluster.node_group.NodeGroupArgs`."""

    instance_types: Sequence[str]
    min_size: int
    max_size: int
    volume_gib: int


@dataclass(frozen=True, kw_only=True)
class PrincipalPlan:
    """ARNs of who may take each role; see `components.cluster.access_role.AccessRoleArgs`."""

    platform: Sequence[str]
    developer: Sequence[str]
    auditor: Sequence[str]
    ci: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """The EKS cluster.

    Attributes:
        version: Kubernetes version, major and minor.
        public_access_cidrs: Networks that may reach the API from outside the VPC.
        main: Nodes that stay.
        spot: Nodes that AWS may take back.
        principals: Who may take each role.
        quotas: What each application may take, by application.
    """

    version: str
    public_access_cidrs: Sequence[str]
    main: NodeGroupPlan
    spot: NodeGroupPlan
    principals: PrincipalPlan
    quotas: Mapping[str, Quota]
