"""An add-on that EKS installs and keeps."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.cluster.addon_catalog import AddonRelease


@dataclass(frozen=True, kw_only=True)
class ClusterAddonArgs:
    """Which add-on, and for which cluster.

    Attributes:
        cluster_name: The cluster.
        release: The add-on, from the catalog.
        configuration: What only the stack knows, over what the catalog says.
        after: What has to stand before it.
    """

    cluster_name: pulumi.Input[str]
    release: AddonRelease
    configuration: Mapping[str, Any] = field(default_factory=dict)
    after: Collection[pulumi.Resource] = ()


class ClusterAddon(pulumi.ComponentResource):
    """An add-on in exactly one version; whatever somebody changed in it by hand, EKS puts back.

    Attributes:
        addon_name: As EKS calls it.
        version: As EKS calls it.
    """

    addon_name: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterAddonArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:ClusterAddon", name, None, opts)
        configuration = merged(args.release.configuration, args.configuration)
        addon = aws.eks.Addon(
            name,
            cluster_name=args.cluster_name,
            addon_name=args.release.name,
            addon_version=args.release.version,
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )
        self.addon_name = addon.addon_name
        self.version = addon.addon_version
        self.register_outputs({output: getattr(self, output) for output in ClusterAddon.__annotations__})


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one configuration over another, section by section; where both have a value the second's holds."""
    sections = {key: (base.get(key), over.get(key)) for key in {**base, **over}}
    return {
        key: merged(below, above)
        if isinstance(below, Mapping) and isinstance(above, Mapping)
        else (above if key in over else below)
        for key, (below, above) in sections.items()
    }
