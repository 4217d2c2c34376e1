"""Instance types that nodes may have, and the capacities that pods per node follow from.

Sources: capacities and network limits,
https://docs.aws.amazon.com/ec2/latest/instancetypes/ (general purpose);
interfaces and addresses, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """Capacity of one instance type (all of x86_64, as the images are).

    Attributes:
        vcpus: Virtual processors.
        memory_mib: Memory in MiB.
        interfaces: Network interfaces that it takes.
        addresses: IPv4 addresses an interface.
    """

    vcpus: int
    memory_mib: int
    interfaces: int
    addresses: int


_GIB = 1024


def _large(family: str, gib: int) -> dict[str, InstanceType]:
    """`large` and `xlarge` of a family that has `gib` GiB for its two first processors."""
    return {
        f"{family}.large": InstanceType(vcpus=2, memory_mib=gib * _GIB, interfaces=3, addresses=10),
        f"{family}.xlarge": InstanceType(vcpus=4, memory_mib=2 * gib * _GIB, interfaces=4, addresses=15),
    }


def _burstable(family: str) -> dict[str, InstanceType]:
    return {
        f"{family}.medium": InstanceType(vcpus=2, memory_mib=4 * _GIB, interfaces=3, addresses=6),
        f"{family}.large": InstanceType(vcpus=2, memory_mib=8 * _GIB, interfaces=3, addresses=12),
        f"{family}.xlarge": InstanceType(vcpus=4, memory_mib=16 * _GIB, interfaces=4, addresses=15),
    }


INSTANCE_TYPES: Mapping[str, InstanceType] = MappingProxyType(
    {
        **_burstable("t3"),
        **_burstable("t3a"),
        **_large("m5", 8),
        **_large("m5a", 8),
        **_large("m6a", 8),
        **_large("m6i", 8),
        **_large("m7a", 8),
        **_large("m7i", 8),
        **_large("r6a", 16),
        **_large("r6i", 16),
        **_large("r7i", 16),
    }
)


def instance_type(name: str) -> InstanceType:
    """Look an instance type up.

    Args:
        name: Such as `t3.medium`.

    Raises:
        ValueError: The table does not have it; the message lists what it has and how to add one.
    """
    try:
        return INSTANCE_TYPES[name]
    except KeyError:
        raise ValueError(
            f"unknown instance type {name!r}: take one of {', '.join(sorted(INSTANCE_TYPES))}, "
            "or add its capacity to components/cluster/instance_types.py"
        ) from None


def alike(names: Sequence[str]) -> Sequence[str]:
    """Check that the types of one node group have the same processors and memory.

    The autoscaler reckons with the first type of a group for all of them:
    https://docs.aws.amazon.com/eks/latest/best-practices/cas.html

    Args:
        names: Instance types, one or more.

    Returns:
        The names as given.

    Raises:
        ValueError: One is unknown, or they differ.
    """
    sizes = {name: (instance_type(name).vcpus, instance_type(name).memory_mib) for name in names}
    first = names[0]
    others = [name for name in names if sizes[name] != sizes[first]]
    if others:
        vcpus, memory = sizes[first]
        raise ValueError(
            f"{', '.join(others)}: not the {vcpus} vCPU and {memory // _GIB} GiB of {first}, and the "
            "autoscaler takes all types of a group for alike; take types of one size"
        )
    return names
