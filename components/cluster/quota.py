"""How much of the cluster one namespace may take. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What a container gets that asks for nothing.
DEFAULT_REQUEST: Mapping[str, str] = MappingProxyType({"cpu": "50m", "memory": "128Mi"})
DEFAULT_LIMIT: Mapping[str, str] = MappingProxyType({"memory": "256Mi"})
# A node of 4 GiB has no place for more, and the scheduler says so later and less clearly.
MOST: Mapping[str, str] = MappingProxyType({"memory": "2Gi"})


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What the pods of one namespace may ask for together.

    Attributes:
        cpu: Processors.
        memory_gib: Memory in GiB, as requests and as limits.
        pods: Pods that have not ended.
        storage_gib: Volumes in GiB.
    """

    cpu: int
    memory_gib: int
    pods: int
    storage_gib: int


def hard_limits(quota: Quota) -> dict[str, str]:
    """The quota as Kubernetes counts it.

    CPU has no limit, only requests: a container that is held back from idle processors gains nobody anything.
    Load balancers and node ports would open a way in past the gateway.
    """
    return {
        "requests.cpu": str(quota.cpu),
        "requests.memory": f"{quota.memory_gib}Gi",
        "limits.memory": f"{quota.memory_gib}Gi",
        "pods": str(quota.pods),
        "requests.storage": f"{quota.storage_gib}Gi",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
