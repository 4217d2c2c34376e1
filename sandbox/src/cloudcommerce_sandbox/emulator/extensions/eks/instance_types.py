"""What EC2 says of instance types."""

from __future__ import annotations

from dataclasses import dataclass

from moto.ec2.models.instance_types import INSTANCE_TYPES


@dataclass(frozen=True)
class InstanceType:
    """An instance type.

    Attributes:
        vcpus: virtual processors.
        memory_mib: memory in MiB.
        architecture: `x86_64` or `arm64`.
    """

    name: str
    vcpus: int
    memory_mib: int
    architecture: str


def instance_type(name: str) -> InstanceType | None:
    """Returns what is known of an instance type, or None when there is no such type."""
    known = INSTANCE_TYPES.get(name)
    if known is None:
        return None
    architectures = known["ProcessorInfo"]["SupportedArchitectures"]
    return InstanceType(
        name=name,
        vcpus=int(known["VCpuInfo"]["DefaultVCpus"]),
        memory_mib=int(known["MemoryInfo"]["SizeInMiB"]),
        architecture="arm64" if "arm64" in architectures else "x86_64",
    )
