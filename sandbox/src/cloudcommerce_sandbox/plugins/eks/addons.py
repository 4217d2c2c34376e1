"""Add-ons of EKS, as components and as the children of a cluster."""

from __future__ import annotations

from typing import Any, Final

import pulumi
import pulumi_aws as aws

from cloudcommerce_sandbox.plugins.eks import cni_settings
from cloudcommerce_sandbox.plugins.eks.values import Inputs, compact_json, json_text

_CNI: Final = "vpc-cni"
_OVERWRITE: Final = "OVERWRITE"


def newest_version(addon: str, kubernetes: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Output[str]:
    """Ask EKS for the newest version of an add-on that fits a version of Kubernetes."""
    found = aws.eks.get_addon_version_output(
        addon_name=addon,
        kubernetes_version=kubernetes,
        most_recent=True,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return found.version


def managed_addon(
    name: str,
    addon: str,
    options: Inputs,
    cluster: aws.eks.Cluster,
    parent: pulumi.Resource,
    *,
    tags: Any,
) -> aws.eks.Addon:
    """Make one of the add-ons that a cluster brings along (kube-proxy, coredns).

    Args:
        name: Logical name.
        addon: EKS's name of it.
        options: `kubeProxyAddonOptions` or `corednsAddonOptions`.
        cluster: The cluster.
        parent: The component.
        tags: Tags of the component.
    """
    return aws.eks.Addon(
        name,
        cluster_name=cluster.name,
        addon_name=addon,
        addon_version=options.get("version") or newest_version(addon, cluster.version, parent),
        configuration_values=json_text(options.get("configurationValues")),
        preserve=True,
        resolve_conflicts_on_create=options.get("resolveConflictsOnCreate") or _OVERWRITE,
        resolve_conflicts_on_update=options.get("resolveConflictsOnUpdate") or _OVERWRITE,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


class VpcCniAddon(pulumi.ComponentResource):
    """The add-on that gives pods addresses of the VPC."""

    def __init__(
        self,
        name: str,
        options: Inputs,
        cluster: aws.eks.Cluster,
        opts: pulumi.ResourceOptions,
        *,
        tags: Any,
    ) -> None:
        """Make the add-on.

        Args:
            name: Logical name, of the add-on as well.
            options: `vpcCniOptions` of the cluster.
            cluster: The cluster.
            opts: The parent, what it waits for, and providers.
            tags: Tags of the add-on.
        """
        super().__init__("eks:index:VpcCniAddon", name, None, opts)
        version = options.get("addonVersion") or newest_version(_CNI, cluster.version, self)
        values = pulumi.Output.from_input(dict(options)).apply(cni_settings.configuration)
        self.addon = aws.eks.Addon(
            name,
            cluster_name=cluster.name,
            addon_name=_CNI,
            addon_version=version,
            configuration_values=values.apply(compact_json),
            preserve=True,
            resolve_conflicts_on_create=options.get("resolveConflictsOnCreate") or _OVERWRITE,
            resolve_conflicts_on_update=options.get("resolveConflictsOnUpdate") or _OVERWRITE,
            service_account_role_arn=options.get("serviceAccountRoleArn"),
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"addon": self.addon})


class Addon(pulumi.ComponentResource):
    """`eks.Addon`: one add-on of a cluster made by `eks.Cluster`, which becomes its parent."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> None:
        """Make the add-on.

        Args:
            name: Logical name, of the add-on as well.
            inputs: The component's inputs; `cluster` is a reference to the component.
            opts: The caller's options.
        """
        cluster = inputs["cluster"]
        super().__init__(
            "eks:index:Addon",
            name,
            None,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(parent=cluster)),
        )
        self.addon = aws.eks.Addon(
            name,
            cluster_name=cluster.core.apply(lambda core: core.cluster.name),
            addon_name=inputs["addonName"],
            addon_version=inputs.get("addonVersion"),
            configuration_values=json_text(inputs.get("configurationValues")),
            preserve=inputs.get("preserve"),
            resolve_conflicts_on_create=inputs.get("resolveConflictsOnCreate"),
            resolve_conflicts_on_update=inputs.get("resolveConflictsOnUpdate"),
            service_account_role_arn=inputs.get("serviceAccountRoleArn"),
            tags=inputs.get("tags"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
