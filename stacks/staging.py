"""Staging: the applications' namespaces on any cluster, with no account of AWS."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.cluster.quota import Quota
from components.cluster.rbac import DeveloperRights
from stacks.tenancy import Tenancy, TenancyArgs, tenancy


@dataclass(frozen=True, kw_only=True)
class StagingArgs:
    """A whole staging stack.

    Attributes:
        project: Name of the project.
        kubernetes_version: Version whose Pod Security Standards hold, major and minor.
        quotas: What each application may take, by application.
    """

    project: str
    kubernetes_version: str
    quotas: Mapping[str, Quota]


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Everything that stands in staging.

    Attributes:
        args: What the stack was told.
        tenancy: The applications' namespaces.
    """

    args: StagingArgs
    tenancy: Tenancy


def staging(args: StagingArgs, opts: pulumi.ResourceOptions) -> Staging:
    """Compose the staging stack.

    Args:
        args: Version and quotas.
        opts: Carries the Kubernetes provider.
    """
    return Staging(
        args=args,
        tenancy=tenancy(
            TenancyArgs(
                project=args.project,
                kubernetes_version=args.kubernetes_version,
                quotas=args.quotas,
                # Here developers try out what they release, and the secrets are nobody's.
                developers=DeveloperRights.DEPLOY,
                bind_platform=True,
                protect=False,
            ),
            opts,
        ),
    )
