"""Storage classes that a cluster brings along."""

from __future__ import annotations

from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes

from cloudcommerce_sandbox.plugins.eks.values import Inputs, is_given

_PROVISIONER: Final = "kubernetes.io/aws-ebs"
_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_PARAMETERS: Final = ("iopsPerGb", "encrypted", "kmsKeyId")


def storage_classes(name: str, wanted: Any, opts: pulumi.ResourceOptions) -> dict[str, Any]:
    """Make the classes.

    Args:
        name: Logical name of the component.
        wanted: Key to class, or one kind of volume, which becomes the default class.
        opts: Parent, provider, and what they wait for.
    """
    if isinstance(wanted, str):
        wanted = {wanted: {"type": wanted, "default": True}}
    return {key: _class(f"{name.lower()}-{key}", one, opts) for key, one in (wanted or {}).items()}


def _class(name: str, wanted: Inputs, opts: pulumi.ResourceOptions) -> kubernetes.storage.v1.StorageClass:
    parameters: dict[str, Any] = {"type": wanted["type"]}
    if is_given(wanted.get("zones")):
        parameters["zones"] = pulumi.Output.from_input(wanted["zones"]).apply(", ".join)
    for parameter in _PARAMETERS:
        if is_given(wanted.get(parameter)):
            parameters[parameter] = pulumi.Output.from_input(wanted[parameter]).apply(_text)
    described = pulumi.Output.all(wanted.get("metadata"), wanted.get("default"))
    metadata: pulumi.Output[Any] = described.apply(_metadata)
    return kubernetes.storage.v1.StorageClass(
        name,
        metadata=metadata,
        provisioner=_PROVISIONER,
        parameters=parameters,
        allow_volume_expansion=wanted.get("allowVolumeExpansion"),
        mount_options=wanted.get("mountOptions"),
        reclaim_policy=wanted.get("reclaimPolicy"),
        volume_binding_mode=wanted.get("volumeBindingMode"),
        opts=opts,
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _metadata(given: list[Any]) -> Any:
    metadata, is_default = dict(given[0] or {}), given[1]
    if is_default:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), _DEFAULT: "true"}
    return metadata
