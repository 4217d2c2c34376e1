"""What EC2 says of instance types."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers.capacity import InstanceType

# What the EBS CSI driver assumes: `pkg/cloud/limits` and `getVolumesLimit` in `pkg/driver/node.go` of
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver.
_XEN_ATTACHMENTS = 39
_USUAL_ATTACHMENTS = 27
_ROOT_VOLUME = 1

_UNKNOWN = {"InvalidInstanceType", "InvalidParameterValue"}


class UnknownInstanceTypeError(Exception):
    """EC2 knows no such instance type."""


class InstanceTypes:
    """Instance types of a region, each looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, InstanceType] = {}

    def get(self, api: ClusterApi, name: str) -> InstanceType:
        """Return an instance type.

        Args:
            api: The cluster, for its AWS.
            name: Such as `t3.medium`.

        Raises:
            UnknownInstanceTypeError: There is none of that name.
            ClientError: EC2 refuses for another reason.
        """
        if name not in self._known:
            self._known[name] = self._described(api, name)
        return self._known[name]

    def _described(self, api: ClusterApi, name: str) -> InstanceType:
        try:
            described = api.aws("ec2").describe_instance_types(InstanceTypes=[name])["InstanceTypes"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _UNKNOWN:
                raise UnknownInstanceTypeError(f"EC2 has no instance type {name}.") from error
            raise
        if not described:
            raise UnknownInstanceTypeError(f"EC2 has no instance type {name}.")
        network = described[0]["NetworkInfo"]
        cards = {card["NetworkCardIndex"]: card for card in network["NetworkCards"]}
        return InstanceType(
            name=name,
            vcpus=described[0]["VCpuInfo"]["DefaultVCpus"],
            memory_mib=described[0]["MemoryInfo"]["SizeInMiB"],
            interfaces=cards[network["DefaultNetworkCardIndex"]]["MaximumNetworkInterfaces"],
            addresses_per_interface=network["Ipv4AddressesPerInterface"],
            volumes=_volumes(described[0]),
        )


def _volumes(described: Mapping[str, Any]) -> int:
    """Return how many volumes pods can have, with one network interface as at boot."""
    if described.get("Hypervisor") == "xen":
        return _XEN_ATTACHMENTS - _ROOT_VOLUME
    most = described.get("EbsInfo", {}).get("MaximumEbsAttachments", _USUAL_ATTACHMENTS)
    return max(1, int(most) - _ROOT_VOLUME)
