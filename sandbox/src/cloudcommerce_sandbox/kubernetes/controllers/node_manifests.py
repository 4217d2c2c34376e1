"""The Node object of an instance, as the kubelet and the cloud provider write it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.kubernetes.controllers import capacity as arithmetic
from cloudcommerce_sandbox.kubernetes.controllers.capacity import InstanceType, Resources
from cloudcommerce_sandbox.kubernetes.model import InstanceSpec, LocalNode, NodegroupSpec, Taint

_MIB_IN_KIB = 1024
_LOCAL_PODS = 110  # the kubelet's own default
_LOCAL_DISK_GIB = 100
_GIB = 1024**3
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


class TooSmallError(Exception):
    """An instance type has no memory left for pods."""


@dataclass(frozen=True)
class NodePlan:
    """A node as it should be.

    Attributes:
        name: The Node's name.
        provider_id: Where its machine is; empty where there is no cloud.
        labels: All labels that the kubelet, the cloud and the node group give it.
        taints: The taints that it registers with.
        status: Capacity, addresses and what the kubelet says of the machine.
    """

    name: str
    provider_id: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]
    status: Mapping[str, Any]


def of_instance(
    cluster: str, region: str, group: NodegroupSpec, instance: InstanceSpec, instance_type: InstanceType
) -> NodePlan:
    """Return the node of an EC2 instance.

    Args:
        cluster: The cluster's name.
        region: Its region.
        group: The node group.
        instance: The instance.
        instance_type: What EC2 says of its type.

    Raises:
        TooSmallError: The type has no memory left for pods.
    """
    has = arithmetic.capacity(instance_type, group.root_volume_gib, group.max_pods)
    left = arithmetic.allocatable(instance_type, has, group.reserved_memory_mib)
    if left.memory_kib <= 0:
        raise TooSmallError(
            f"{instance.type} has {instance_type.memory_mib} MiB, of which the system keeps everything: "
            "take a type with at least 2 GiB."
        )
    architecture = _ARCHITECTURES.get(instance.architecture, instance.architecture)
    cloud = {
        "node.kubernetes.io/instance-type": instance.type,
        "beta.kubernetes.io/instance-type": instance.type,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": instance.zone,
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": instance.zone,
        "topology.k8s.aws/zone-id": instance.zone_id,
        "k8s.io/cloud-provider-aws": hashlib.md5(cluster.encode(), usedforsecurity=False).hexdigest(),
    }
    managed = {
        "eks.amazonaws.com/nodegroup": group.name,
        "eks.amazonaws.com/capacityType": group.capacity_type,
        "eks.amazonaws.com/nodegroup-image": _image_id(group),
    }
    return NodePlan(
        name=instance.private_dns_name,
        provider_id=f"aws:///{instance.zone}/{instance.id}",
        labels={
            **_system_labels(instance.private_dns_name, architecture),
            **{name: value for name, value in cloud.items() if value},
            **group.labels,
            **managed,
        },
        taints=_taints(group.taints),
        status={
            "capacity": has.quantities(),
            "allocatable": left.quantities(),
            "addresses": [
                {"type": "InternalIP", "address": instance.private_ip},
                {"type": "InternalDNS", "address": instance.private_dns_name},
                {"type": "Hostname", "address": instance.private_dns_name},
            ],
            "nodeInfo": _node_info(
                instance.id, architecture, f"v{group.version}.0-eks-sandbox", "Amazon Linux 2023"
            ),
        },
    )


def of_local_node(version: str, node: LocalNode) -> NodePlan:
    """Return a node of a local cluster, as kind makes it: all of the machine is for pods.

    Args:
        version: The cluster's Kubernetes version, such as `1.35`.
        node: The node.
    """
    resources = Resources(
        cpu_millicores=node.vcpus * 1000,
        memory_kib=node.memory_mib * _MIB_IN_KIB,
        ephemeral_bytes=_LOCAL_DISK_GIB * _GIB,
        pods=_LOCAL_PODS,
    ).quantities()
    zone = {"topology.kubernetes.io/zone": node.zone} if node.zone else {}
    return NodePlan(
        name=node.name,
        provider_id=f"sandbox://{node.name}",
        labels={**_system_labels(node.name, "amd64"), **zone, **node.labels},
        taints=_taints(node.taints),
        status={
            "capacity": resources,
            "allocatable": resources,
            "addresses": [
                {"type": "InternalIP", "address": _local_address(node.name)},
                {"type": "Hostname", "address": node.name},
            ],
            "nodeInfo": _node_info(node.name, "amd64", f"v{version}.0", "Sandbox"),
        },
    )


def _system_labels(hostname: str, architecture: str) -> dict[str, str]:
    return {
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": hostname,
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
    }


def _taints(taints: Iterable[Taint]) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {
            "key": taint.key,
            "effect": _EFFECTS[taint.effect],
            **({"value": taint.value} if taint.value else {}),
        }
        for taint in taints
    )


def _image_id(group: NodegroupSpec) -> str:
    digest = hashlib.sha256(f"{group.ami_type}/{group.version}".encode()).hexdigest()
    return f"ami-{digest[:17]}"


def _local_address(name: str) -> str:
    first, second = hashlib.sha256(name.encode()).digest()[:2]
    return f"172.18.{first}.{second}"


def _node_info(machine: str, architecture: str, kubelet: str, image: str) -> dict[str, str]:
    return {
        "architecture": architecture,
        "bootID": machine,
        "containerRuntimeVersion": "containerd://2.1.5",
        "kernelVersion": "6.12.0",
        "kubeProxyVersion": "",
        "kubeletVersion": kubelet,
        "machineID": machine,
        "operatingSystem": "linux",
        "osImage": image,
        "systemUUID": machine,
    }
