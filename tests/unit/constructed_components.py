"""What the plugins of remote components register, as far as programs are handed it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Constructed:
    """A custom resource that a component's plugin registers."""

    type: str
    name: str
    inputs: Mapping[str, Any]


def _eks_cluster(name: str, given: Mapping[str, Any]) -> dict[str, Constructed]:
    """As pulumi-eks 4.4 does it with the arguments that we use."""
    network = {
        "subnetIds": given["privateSubnetIds"],
        "endpointPrivateAccess": given["endpointPrivateAccess"],
        "endpointPublicAccess": given["endpointPublicAccess"],
        "publicAccessCidrs": given.get("publicAccessCidrs"),
        "clusterSecurityGroupId": f"{name}-made-by-eks",
    }
    inputs = {
        "name": given["name"],
        "version": given["version"],
        "vpcConfig": network,
        "accessConfig": {
            "authenticationMode": given["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": True,
        },
        "encryptionConfig": {
            "provider": {"keyArn": given["encryptionConfigKeyArn"]},
            "resources": ["secrets"],
        },
        "enabledClusterLogTypes": given["enabledClusterLogTypes"],
        "deletionProtection": given["deletionProtection"],
        "upgradePolicy": given["upgradePolicy"],
        "tags": {"Name": f"{name}-eksCluster"},
    }
    return {"eksCluster": Constructed("aws:eks/cluster:Cluster", f"{name}-eksCluster", inputs)}


CONSTRUCTED: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Constructed]]] = MappingProxyType(
    {"eks:index:Cluster": _eks_cluster}
)
"""By token: what a component's output of each name refers to, from the component's name and inputs."""
