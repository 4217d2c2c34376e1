"""What the EBS CSI driver asks EC2 for: pure functions of a claim and its storage class.

Source: `pkg/driver/controller.go` and `docs/parameters.md` of https://github.com/kubernetes-sigs/aws-ebs-csi-driver.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

DRIVER = "ebs.csi.aws.com"
ZONE = "topology.kubernetes.io/zone"
DRIVER_ZONE = "topology.ebs.csi.aws.com/zone"

_GIB = 1024**3
_QUANTITY = re.compile(r"^([0-9.]+)([EPTGMk]i?|Ki|m)?$")
_DECIMAL = ("k", "M", "G", "T", "P", "E")
_TRUE = {"1", "t", "true"}
_TEMPLATE = re.compile(r"{{\s*\.(PVCName|PVCNamespace|PVName)\s*}}")
# Formatting and naming parameters that EC2 does not hear of.
_QUIET = {
    "fstype",
    "csi.storage.k8s.io/fstype",
    "blocksize",
    "inodesize",
    "bytesperinode",
    "numberofinodes",
    "ext4bigalloc",
    "ext4clustersize",
    "ext4encryptionsupport",
    "blockexpress",
    "allowautoiopspergbincrease",
    "allowautoiopsincreaseonmodify",
    "blockattachuntilinitialized",
}


class ParameterError(Exception):
    """A storage class or a claim asks for what the driver refuses."""


def gibibytes(quantity: str) -> int:
    """Return a Kubernetes quantity of bytes in whole GiB, rounded up as the driver does.

    Args:
        quantity: Such as `10Gi` or `500M`.

    Raises:
        ParameterError: It is not a quantity.
    """
    match = _QUANTITY.match(quantity)
    if not match:
        raise ParameterError(f"{quantity!r} is not a quantity.")
    number, suffix = match.groups()
    try:
        size = Decimal(number)
    except InvalidOperation as error:
        raise ParameterError(f"{quantity!r} is not a quantity.") from error
    if suffix == "m":
        size /= 1000
    elif suffix:
        base = 1024 if suffix.endswith("i") else 1000
        size *= base ** (_DECIMAL.index(suffix[0].replace("K", "k")) + 1)
    return max(1, math.ceil(size / _GIB))


def volume_arguments(parameters: Mapping[str, str], size_gib: int) -> dict[str, Any]:
    """Return the arguments of EC2's CreateVolume that a storage class stands for.

    Args:
        parameters: The storage class's.
        size_gib: The volume's size in GiB.

    Raises:
        ParameterError: The driver knows no such parameter, or not that value.
    """
    arguments: dict[str, Any] = {"Size": size_gib, "VolumeType": "gp3"}
    for name, value in parameters.items():
        key = name.lower()
        if key == "type":
            arguments["VolumeType"] = value
        elif key == "encrypted":
            arguments["Encrypted"] = value.lower() in _TRUE
        elif key == "kmskeyid":
            arguments["KmsKeyId"] = value
        elif key in ("iops", "throughput"):
            arguments[key.capitalize()] = _number(name, value)
        elif key == "iopspergb":
            arguments["Iops"] = _number(name, value) * size_gib
        elif key not in _QUIET and not name.startswith("tagSpecification"):
            raise ParameterError(f"Invalid parameter key {name} for CreateVolume")
    return arguments


def volume_tags(
    cluster: str,
    volume: str,
    claim: Mapping[str, Any],
    parameters: Mapping[str, str],
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return the tags of a volume: those of the driver, of the storage class and of the add-on.

    Args:
        cluster: The cluster's name.
        volume: The persistent volume's name.
        claim: The claim.
        parameters: The storage class's.
        extra: The add-on's `controller.extraVolumeTags`.

    Raises:
        ParameterError: A tag of the storage class is not `key=value`.
    """
    metadata = claim["metadata"]
    names = {"PVCName": metadata["name"], "PVCNamespace": metadata["namespace"], "PVName": volume}
    tags = {
        "CSIVolumeName": volume,
        f"{DRIVER}/cluster": "true",
        f"{DRIVER}/cluster-name": cluster,
        f"kubernetes.io/cluster/{cluster}": "owned",
        "KubernetesCluster": cluster,
        "Name": f"{cluster}-dynamic-{volume}",
        "kubernetes.io/created-for/pvc/name": metadata["name"],
        "kubernetes.io/created-for/pvc/namespace": metadata["namespace"],
        "kubernetes.io/created-for/pv/name": volume,
        **{key: str(value) for key, value in extra.items()},
    }
    for name, text in parameters.items():
        if name.startswith("tagSpecification"):
            key, separator, value = text.partition("=")
            if not separator or not key:
                raise ParameterError(f"{name} is {text!r}, not key=value.")
            tags[key] = _TEMPLATE.sub(lambda match: names[match[1]], value)
    return tags


def file_system(parameters: Mapping[str, str]) -> str:
    """Return the file system that a storage class asks for; the driver's default without."""
    by_key = {name.lower(): value for name, value in parameters.items()}
    return by_key.get("csi.storage.k8s.io/fstype") or by_key.get("fstype") or "ext4"


def allowed_zones(storage_class: Mapping[str, Any]) -> list[str] | None:
    """Return the zones in which a storage class may make volumes; None for anywhere."""
    topologies = storage_class.get("allowedTopologies") or []
    zones = [
        zone
        for topology in topologies
        for expression in topology.get("matchLabelExpressions") or []
        if expression["key"] in (ZONE, DRIVER_ZONE)
        for zone in expression["values"]
    ]
    return zones if topologies else None


def free_device(used: Sequence[str]) -> str:
    """Return the first device name that an instance has free, as the driver chooses it.

    Args:
        used: Its device names in use.

    Raises:
        ParameterError: All are taken.
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    for first in "abcd":
        for second in letters:
            name = f"/dev/xvd{first}{second}"
            if name not in used:
                return name
    raise ParameterError("The instance has no device name free.")


def _number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise ParameterError(f"Could not parse invalid {name}: {value!r}") from error
