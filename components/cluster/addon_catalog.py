"""The add-ons of the cluster: one catalog of pinned versions and of what each is told. Pure data.

Versions are those that EKS offers for Kubernetes 1.35
(`aws eks describe-addon-versions --kubernetes-version 1.35`). What an add-on takes as configuration:
`aws eks describe-addon-configuration --addon-name NAME --addon-version VERSION`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

KUBERNETES_VERSION = "1.35"


@dataclass(frozen=True, kw_only=True)
class AddonRelease:
    """One add-on in one version.

    Attributes:
        name: As EKS calls it.
        version: As EKS calls it, such as `v1.22.4-eksbuild.3`.
        configuration: What the add-on is told.
        needs_nodes: Whether it becomes healthy on nodes only; the others are there before the first node.
    """

    name: str
    version: str
    needs_nodes: bool
    configuration: Mapping[str, Any] = field(default_factory=dict)


def _spread(app: str) -> dict[str, Any]:
    """Keep the replicas apart, but rather run two in one zone than one alone while a zone is lost."""
    return {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"k8s-app": app}},
    }


VPC_CNI = AddonRelease(
    name="vpc-cni",
    version="v1.22.4-eksbuild.3",
    needs_nodes=False,
    configuration={
        # Strings, as the add-on's schema has them.
        "enableNetworkPolicy": "true",
        "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
    },
)
KUBE_PROXY = AddonRelease(name="kube-proxy", version="v1.35.3-eksbuild.29", needs_nodes=False)
POD_IDENTITY_AGENT = AddonRelease(
    name="eks-pod-identity-agent", version="v1.3.10-eksbuild.3", needs_nodes=False
)
COREDNS = AddonRelease(
    name="coredns",
    version="v1.13.2-eksbuild.31",
    needs_nodes=True,
    configuration={
        "replicaCount": 2,
        "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1},
        "topologySpreadConstraints": [_spread("kube-dns")],
    },
)
SNAPSHOT_CONTROLLER = AddonRelease(name="snapshot-controller", version="v8.6.0-eksbuild.8", needs_nodes=True)
EBS_CSI_DRIVER = AddonRelease(
    name="aws-ebs-csi-driver",
    version="v1.64.0-eksbuild.1",
    needs_nodes=True,
    # The cluster has a default storage class of its own, encrypted with a key of ours.
    configuration={"defaultStorageClass": {"enabled": False}, "node": {"tolerateAllTaints": True}},
)

CATALOG: Mapping[str, AddonRelease] = MappingProxyType(
    {
        release.name: release
        for release in (
            VPC_CNI,
            KUBE_PROXY,
            POD_IDENTITY_AGENT,
            COREDNS,
            SNAPSHOT_CONTROLLER,
            EBS_CSI_DRIVER,
        )
    }
)
"""Every add-on by name."""
