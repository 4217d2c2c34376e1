"""What a node of an instance type offers to pods, as the kubelet on Amazon Linux 2023 works it out.

Sources: nodeadm's kubelet configuration (`nodeadm/internal/kubelet/{config,eni_max_pods}.go` of
https://github.com/awslabs/amazon-eks-ami) for what is reserved, Kubernetes' node-allocatable rule
(https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/), and `kubectl describe node`
of real nodes, named in the tests, for what the machine itself keeps.
"""

from dataclasses import dataclass

_KIB_PER_MIB = 1024
_KIB_PER_GIB = 1024 * 1024
_BYTES_PER_KIB = 1024
_BYTES_PER_GIB = 1024**3

# Firmware and a booting kernel take a fixed part of the memory and page tables a share of the rest.
# Fitted to real nodes of 2 to 16 GiB, x86 and Graviton: within 1 % of each one's memory.
_MACHINE_FIXED_MIB = 150
_MACHINE_SHARE = 0.03

# The boot and EFI partitions with the log of XFS: the same on every root volume.
_FILE_SYSTEM_KIB = 77_844

_EVICTION_MEMORY_MIB = 100
_RESERVED_BASE_MIB = 255
_RESERVED_PER_POD_MIB = 11
_RESERVED_EPHEMERAL_BYTES = _BYTES_PER_GIB
# The kubelet reads its 10 % as a single-precision float, which shows in the bytes.
_EVICTION_DISK_SHARE = 0.10000000149011612

# Up to which millicore how much of a core goes to the kubelet, in parts of ten thousand.
_RESERVED_CPU = ((1000, 600), (2000, 100), (4000, 50))
_RESERVED_CPU_BEYOND = 25

_LARGE_NODE_VCPUS = 30
_PODS_OF_SMALL_NODES = 110
_PODS_OF_LARGE_NODES = 250


@dataclass(frozen=True)
class InstanceType:
    """The part of EC2's description of an instance type that decides about pods.

    Attributes:
        name: Such as `t3.medium`.
        vcpus: Its virtual CPUs.
        memory_mib: Its memory as sold, in MiB.
        interfaces: How many network interfaces its default network card takes.
        addresses_per_interface: How many IPv4 addresses each of these takes.
        volumes: How many EBS volumes it takes beside its root volume.
    """

    name: str
    vcpus: int
    memory_mib: int
    interfaces: int
    addresses_per_interface: int
    volumes: int = 26

    @property
    def default_pods(self) -> int:
        """How many pods its addresses suffice for: every pod has one, but the two of the host's network."""
        return self.interfaces * (self.addresses_per_interface - 1) + 2


@dataclass(frozen=True)
class Resources:
    """What a node has or gives to pods.

    Attributes:
        cpu_millicores: CPU in thousandths of a core.
        memory_kib: Memory in KiB.
        ephemeral_bytes: Room on the root volume in bytes.
        pods: How many pods.
    """

    cpu_millicores: int
    memory_kib: int
    ephemeral_bytes: int
    pods: int

    def quantities(self) -> dict[str, str]:
        """Return it in the words of a Node's status."""
        return {
            "cpu": f"{self.cpu_millicores}m"
            if self.cpu_millicores % 1000
            else str(self.cpu_millicores // 1000),
            "memory": _bytes_quantity(self.memory_kib * _BYTES_PER_KIB),
            "ephemeral-storage": _bytes_quantity(self.ephemeral_bytes),
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "pods": str(self.pods),
        }


def capacity(instance: InstanceType, root_volume_gib: int, max_pods: int | None = None) -> Resources:
    """Return what the kubelet finds on the machine.

    Args:
        instance: Its type.
        root_volume_gib: The size of its root volume in GiB.
        max_pods: What the node group's kubelet configuration says; by its addresses where it doesn't.
    """
    machine_mib = _MACHINE_FIXED_MIB + _MACHINE_SHARE * instance.memory_mib
    return Resources(
        cpu_millicores=instance.vcpus * 1000,
        memory_kib=round((instance.memory_mib - machine_mib) * _KIB_PER_MIB),
        ephemeral_bytes=(root_volume_gib * _KIB_PER_GIB - _FILE_SYSTEM_KIB) * _BYTES_PER_KIB,
        pods=instance.default_pods if max_pods is None else max_pods,
    )


def allocatable(instance: InstanceType, capacity: Resources, reserved_mib: int | None = None) -> Resources:
    """Return what of a node's capacity is left for pods.

    A configured number of pods does not change the reserved memory: nodeadm works that out from the addresses
    of the instance type, before it merges the user's kubelet configuration, which may name an amount itself.

    Args:
        instance: The node's type.
        capacity: What the node has.
        reserved_mib: The memory that the kubelet's configuration reserves, if it names an amount.
    """
    if reserved_mib is None:
        reserved_mib = reserved_memory_mib(instance.default_pods)
    kept_mib = reserved_mib + _EVICTION_MEMORY_MIB
    evicted_bytes = int(capacity.ephemeral_bytes * _EVICTION_DISK_SHARE)
    return Resources(
        cpu_millicores=capacity.cpu_millicores - reserved_cpu_millicores(capacity.cpu_millicores),
        memory_kib=capacity.memory_kib - kept_mib * _KIB_PER_MIB,
        ephemeral_bytes=capacity.ephemeral_bytes - evicted_bytes - _RESERVED_EPHEMERAL_BYTES,
        pods=capacity.pods,
    )


def reserved_memory_mib(pods: int) -> int:
    """Return the memory that nodeadm keeps for the kubelet and the container runtime, in MiB."""
    return _RESERVED_BASE_MIB + _RESERVED_PER_POD_MIB * pods


def reserved_cpu_millicores(total: int) -> int:
    """Return the CPU that nodeadm keeps: 6 % of the first core, 1 % of the second, less of others.

    Args:
        total: The node's CPU in millicores.
    """
    reserved, start = 0, 0
    for end, share in (*_RESERVED_CPU, (total, _RESERVED_CPU_BEYOND)):
        reserved += max(0, min(total, end) - start) * share // 10_000
        start = end
    return reserved


def most_pods(vcpus: int) -> int:
    """Return the number of pods that Kubernetes' scalability limits and EKS advise at most for a node.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html.
    """
    return _PODS_OF_SMALL_NODES if vcpus < _LARGE_NODE_VCPUS else _PODS_OF_LARGE_NODES


def _bytes_quantity(size: int) -> str:
    """Return a number of bytes as the API server would write it."""
    suffixes = ["", "Ki", "Mi", "Gi", "Ti"]
    while size and size % _BYTES_PER_KIB == 0 and len(suffixes) > 1:
        size //= _BYTES_PER_KIB
        suffixes.pop(0)
    return f"{size}{suffixes[0]}"
