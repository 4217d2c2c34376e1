"""The volumes that pods ask for."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True, kw_only=True)
class BlockStorageArgs:
    """How volumes are encrypted.

    Attributes:
        key_arn: KMS key of the volumes.
    """

    key_arn: pulumi.Input[str]


class BlockStorage(pulumi.ComponentResource):
    """The default storage class: gp3, encrypted, in the zone of the pod that uses it first.

    Attributes:
        storage_class: Its name.
    """

    storage_class: pulumi.Output[str]

    def __init__(self, name: str, args: BlockStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:BlockStorage", name, None, opts)
        storage_class = kubernetes.storage.v1.StorageClass(
            name,
            metadata={
                "name": "gp3",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": args.key_arn},
            # A volume made before its pod is placed may lie in a zone in which the pod never fits.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.storage_class = storage_class.metadata.name
        self.register_outputs({"storage_class": self.storage_class})
