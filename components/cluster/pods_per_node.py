"""How many pods a node takes, and what of it is left for them. Pure arithmetic.

With prefix delegation addresses no longer limit the pods of a node; memory does, because the kubelet holds
back 11 MiB for each pod that it might run, whether it runs or not (docs/decisions/, "pods per node").
"""

from collections.abc import Iterable
from dataclasses import dataclass

from components.cluster.instance_types import InstanceType

# What nodeadm reserves for the kubelet and the container runtime on AL2023:
# https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
RESERVED_MIB = 255
RESERVED_MIB_PER_POD = 11
# https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/; nodeadm sets this threshold.
EVICTION_MIB = 100
# Thousandths of each processor in turn; every one beyond the fourth gives 2.5.
_RESERVED_MILLICORES = (60, 10, 5, 5)
_RESERVED_MILLICORES_BEYOND = 2.5

# What firmware and kernel keep of an instance's memory differs by type and kernel. Karpenter's default share
# is on the safe side: https://karpenter.sh/docs/reference/settings/ (`VM_MEMORY_OVERHEAD_PERCENT`).
OVERHEAD_PERCENT = 7.5

# Smallest average share that is of use: a sidecar of the mesh takes 40 to 60 MiB, the service itself more.
MIN_MIB_PER_POD = 100

# https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
_MOST_PODS = 110
_MOST_PODS_OF_MANY_CORES = 250
_MANY_CORES = 30
_PREFIX_ADDRESSES = 16


@dataclass(frozen=True, kw_only=True)
class NodeReserve:
    """What the kubelet holds back from pods.

    Attributes:
        millicores: Of the processors.
        memory_mib: Of the memory, for the system's own processes.
    """

    millicores: int
    memory_mib: int


def address_limit(instance: InstanceType) -> int:
    """Pods that find an address on an instance with prefix delegation, held to what EKS supports.

    Each address of an interface but its own carries a prefix of 16; two pods more run on the node's own.
    """
    addresses = instance.interfaces * (instance.addresses - 1) * _PREFIX_ADDRESSES + 2
    return min(addresses, _MOST_PODS if instance.vcpus < _MANY_CORES else _MOST_PODS_OF_MANY_CORES)


def usable_memory_mib(instance: InstanceType) -> int:
    """Memory that the node's kernel has to hand out, in MiB."""
    return int(instance.memory_mib * (100 - OVERHEAD_PERCENT) / 100)


def reserve(instance: InstanceType, max_pods: int) -> NodeReserve:
    """What nodeadm's formula holds back for a number of pods."""
    first = sum(_RESERVED_MILLICORES[: instance.vcpus])
    beyond = max(0, instance.vcpus - len(_RESERVED_MILLICORES)) * _RESERVED_MILLICORES_BEYOND
    return NodeReserve(
        millicores=int(first + beyond), memory_mib=RESERVED_MIB + RESERVED_MIB_PER_POD * max_pods
    )


def allocatable_memory_mib(instance: InstanceType, max_pods: int) -> int:
    """Memory that the scheduler may promise to pods, in MiB."""
    return usable_memory_mib(instance) - reserve(instance, max_pods).memory_mib - EVICTION_MIB


def pods_per_node(instances: Iterable[InstanceType]) -> int:
    """Most pods for which each still has its share of memory, on every type of a node group.

    Args:
        instances: The types of the group, one or more.

    Raises:
        ValueError: A type is too small to run anything.
    """
    most = min(min(address_limit(each), _memory_limit(each)) for each in instances)
    if most < 1:
        raise ValueError(
            f"no memory is left for pods: a node wants {RESERVED_MIB + EVICTION_MIB} MiB itself; "
            "take a larger instance type"
        )
    return most


def _memory_limit(instance: InstanceType) -> int:
    for_pods = usable_memory_mib(instance) - RESERVED_MIB - EVICTION_MIB
    return for_pods // (RESERVED_MIB_PER_POD + MIN_MIB_PER_POD)
