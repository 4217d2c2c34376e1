"""Tenancy: a namespace for each application and who may do what in it, the same on every cluster."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.cluster.cluster_access import ClusterAccess, ClusterAccessArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.quota import Quota
from components.cluster.rbac import DeveloperRights


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """What differs between the clusters of production and of staging.

    Attributes:
        project: Name of the project; labels what belongs to it.
        kubernetes_version: Version whose Pod Security Standards hold, major and minor.
        quotas: What each application may take; a namespace each.
        developers: How much developers change by hand.
        bind_platform: Whether the platform group is made cluster admin by a binding.
        protect: Whether Pulumi refuses to delete the namespaces.
    """

    project: str
    kubernetes_version: str
    quotas: Mapping[str, Quota]
    developers: DeveloperRights
    bind_platform: bool
    protect: bool


@dataclass(frozen=True, kw_only=True)
class Tenancy:
    """Where the applications live."""

    namespaces: Mapping[str, Namespace]
    access: ClusterAccess


def tenancy(args: TenancyArgs, opts: pulumi.ResourceOptions) -> Tenancy:
    """Make room for the applications in a cluster.

    Args:
        args: What differs between clusters.
        opts: Carries the Kubernetes provider.
    """
    namespaces = {
        application: Namespace(
            f"namespace-{application}",
            NamespaceArgs(
                namespace=application,
                kubernetes_version=args.kubernetes_version,
                quota=quota,
                protect=args.protect,
                labels={"app.kubernetes.io/part-of": args.project},
            ),
            opts,
        )
        for application, quota in args.quotas.items()
    }
    return Tenancy(
        namespaces=namespaces,
        access=ClusterAccess(
            "access",
            ClusterAccessArgs(
                namespaces={application: each.namespace_name for application, each in namespaces.items()},
                developers=args.developers,
                bind_platform=args.bind_platform,
            ),
            opts,
        ),
    )
