"""Platform: the cluster, its nodes and add-ons, the roles that reach it, and the applications' namespaces."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster import addon_catalog as catalog
from components.cluster.access_role import CLUSTER_ADMIN, AccessRole, AccessRoleArgs
from components.cluster.addon import ClusterAddon, ClusterAddonArgs
from components.cluster.addon_catalog import AddonRelease
from components.cluster.block_storage import BlockStorage, BlockStorageArgs
from components.cluster.eks_cluster import EksCluster, EksClusterArgs
from components.cluster.identity_policy import volume_key_policy
from components.cluster.kubeconfig import kubeconfig
from components.cluster.node_group import CapacityType, NodeGroup, NodeGroupArgs
from components.cluster.node_role import NodeRole
from components.cluster.rbac import DeveloperRights, Group
from components.cluster.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from stacks.cluster_plan import NodeGroupPlan
from stacks.foundation import Foundation
from stacks.production_args import ProductionArgs
from stacks.tenancy import Tenancy, TenancyArgs, tenancy

SPOT_TAINT: Mapping[str, str] = {"cloudcommerce.io/spot": "true"}
"""Only what tolerates it runs on nodes that AWS may take back within two minutes."""

_MANAGED_POLICY = "arn:aws:iam::aws:policy"
_SYSTEM = "kube-system"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What the workloads run on.

    Attributes:
        cluster: The control plane.
        node_role: Role of all nodes.
        identities: What add-ons may do in AWS, by add-on.
        addons: Add-ons by name.
        nodes: Node groups by name.
        roles: Roles that reach the cluster, by name.
        storage: The default volumes.
        tenancy: The applications' namespaces.
        kubeconfigs: How each role reaches the cluster, by role.
    """

    cluster: EksCluster
    node_role: NodeRole
    identities: Mapping[str, WorkloadIdentity]
    addons: Mapping[str, ClusterAddon]
    nodes: Mapping[str, NodeGroup]
    roles: Mapping[str, AccessRole]
    storage: BlockStorage
    tenancy: Tenancy
    kubeconfigs: Mapping[str, pulumi.Output[dict[str, Any]]]


def platform(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> Platform:
    """Stand up the cluster in the private subnets.

    Args:
        base: The network and the keys.
        args: Version, sizes, roles and quotas.
        opts: Carries the AWS provider.
    """
    cluster = _control_plane(base, args, opts)
    identities = _identities(cluster, base, opts)
    before_nodes = _addons(cluster, args, opts, needs_nodes=False, after=identities.values())
    node_role = NodeRole("node-role", opts)
    nodes = _nodes(cluster, node_role, base, args, opts, after=before_nodes.values())
    on_nodes = _addons(cluster, args, opts, needs_nodes=True, after=nodes.values())
    roles = _roles(cluster, args, opts)
    # On the way down namespaces go first, while there is a driver to release their volumes and a node to end
    # their pods.
    inside = _inside(cluster, args, after=[*nodes.values(), *before_nodes.values(), *on_nodes.values()])
    return Platform(
        cluster=cluster,
        node_role=node_role,
        identities=identities,
        addons={**before_nodes, **on_nodes},
        nodes=nodes,
        roles=roles,
        storage=BlockStorage("storage", BlockStorageArgs(key_arn=base.keys.operations.key_arn), inside),
        tenancy=tenancy(
            TenancyArgs(
                project=args.project,
                kubernetes_version=args.cluster.version,
                quotas=args.cluster.quotas,
                developers=DeveloperRights.OPERATE,
                bind_platform=False,
                protect=args.deletion_protection,
            ),
            inside,
        ),
        kubeconfigs={name: _kubeconfig(cluster, args.region, role.role_arn) for name, role in roles.items()},
    )


def _control_plane(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> EksCluster:
    return EksCluster(
        "cluster",
        EksClusterArgs(
            cluster_name=args.project,
            version=args.cluster.version,
            vpc_id=base.vpc.vpc_id,
            vpc_cidr=base.vpc.cidr_block,
            subnet_ids=base.vpc.private_subnet_ids,
            public_access_cidrs=args.cluster.public_access_cidrs,
            secrets_key_arn=base.keys.secrets.key_arn,
            logs_key_arn=base.keys.operations.key_arn,
            log_retention_days=args.log_retention_days,
            deletion_protection=args.deletion_protection,
        ),
        opts,
    )


def _identities(
    cluster: EksCluster, base: Foundation, opts: pulumi.ResourceOptions
) -> dict[str, WorkloadIdentity]:
    def identity(
        release: AddonRelease, service_account: str, managed: str, policy: pulumi.Input[str] | None = None
    ) -> WorkloadIdentity:
        return WorkloadIdentity(
            f"identity-{release.name}",
            WorkloadIdentityArgs(
                cluster_name=cluster.cluster_name,
                cluster_arn=cluster.cluster_arn,
                namespace=_SYSTEM,
                service_account=service_account,
                managed_policies={"managed": f"{_MANAGED_POLICY}/{managed}"},
                policy=policy,
            ),
            opts,
        )

    return {
        catalog.VPC_CNI.name: identity(catalog.VPC_CNI, "aws-node", "AmazonEKS_CNI_Policy"),
        catalog.EBS_CSI_DRIVER.name: identity(
            catalog.EBS_CSI_DRIVER,
            "ebs-csi-controller-sa",
            "AmazonEBSCSIDriverPolicyV2",
            base.keys.operations.key_arn.apply(volume_key_policy),
        ),
    }


def _addons(
    cluster: EksCluster,
    args: ProductionArgs,
    opts: pulumi.ResourceOptions,
    *,
    needs_nodes: bool,
    after: Collection[pulumi.Resource],
) -> dict[str, ClusterAddon]:
    # Volumes are made by the driver, which the provider's default tags do not reach.
    told = {catalog.EBS_CSI_DRIVER.name: {"controller": {"extraVolumeTags": dict(args.tags)}}}
    return {
        name: ClusterAddon(
            f"addon-{name}",
            ClusterAddonArgs(
                cluster_name=cluster.cluster_name,
                release=release,
                configuration=told.get(name, {}),
                after=after,
            ),
            opts,
        )
        for name, release in catalog.CATALOG.items()
        if release.needs_nodes is needs_nodes
    }


def _nodes(
    cluster: EksCluster,
    role: NodeRole,
    base: Foundation,
    args: ProductionArgs,
    opts: pulumi.ResourceOptions,
    *,
    after: Collection[pulumi.Resource],
) -> dict[str, NodeGroup]:
    def group(name: str, plan: NodeGroupPlan, capacity: CapacityType, taints: Mapping[str, str]) -> NodeGroup:
        return NodeGroup(
            name,
            NodeGroupArgs(
                cluster_name=cluster.cluster_name,
                version=args.cluster.version,
                role_arn=role.role_arn,
                subnet_ids=base.vpc.private_subnet_ids,
                security_group_ids=[cluster.security_group_id, base.workloads.security_group_id],
                volume_key_arn=base.keys.operations.key_arn,
                capacity_type=capacity,
                instance_types=plan.instance_types,
                min_size=plan.min_size,
                max_size=plan.max_size,
                volume_gib=plan.volume_gib,
                tags=args.tags,
                taints=taints,
                after=after,
            ),
            opts,
        )

    return {
        "main": group("main", args.cluster.main, "ON_DEMAND", {}),
        "spot": group("spot", args.cluster.spot, "SPOT", SPOT_TAINT),
    }


def _roles(cluster: EksCluster, args: ProductionArgs, opts: pulumi.ResourceOptions) -> dict[str, AccessRole]:
    principals = args.cluster.principals

    def role(
        group: Group,
        description: str,
        trusted: Sequence[str],
        *,
        machine: bool = False,
        access_policy_arn: str | None = None,
    ) -> AccessRole:
        return AccessRole(
            f"access-{group.name.lower()}",
            AccessRoleArgs(
                description=description,
                account_id=args.account_id,
                cluster_name=cluster.cluster_name,
                cluster_arn=cluster.cluster_arn,
                group=group.value,
                principals=trusted,
                second_factor=not machine,
                access_policy_arn=access_policy_arn,
            ),
            opts,
        )

    return {
        "platform": role(
            Group.PLATFORM,
            "Administers the cluster",
            principals.platform,
            access_policy_arn=CLUSTER_ADMIN,
        ),
        "developer": role(
            Group.DEVELOPER, "Works in the namespaces of the applications", principals.developer
        ),
        "auditor": role(Group.AUDITOR, "Reads everything but secrets", principals.auditor),
        "ci": role(Group.CI, "Previews and releases", principals.ci, machine=True),
    }


def _inside(
    cluster: EksCluster, args: ProductionArgs, *, after: Collection[pulumi.Resource]
) -> pulumi.ResourceOptions:
    """Options that place Kubernetes objects in the cluster."""
    provider = kubernetes.Provider(
        "kubernetes",
        kubeconfig=_kubeconfig(cluster, args.region).apply(json.dumps),
        # Otherwise another endpoint or certificate authority would replace everything in the cluster.
        cluster_identifier=cluster.cluster_arn,
        enable_server_side_apply=True,
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )
    return pulumi.ResourceOptions(provider=provider)


def _kubeconfig(
    cluster: EksCluster, region: str, role_arn: pulumi.Output[str] | None = None
) -> pulumi.Output[dict[str, Any]]:
    return pulumi.Output.all(
        cluster.cluster_name, cluster.endpoint, cluster.certificate_authority, role_arn
    ).apply(
        lambda known: kubeconfig(
            cluster_name=known[0],
            endpoint=known[1],
            certificate_authority=known[2],
            region=region,
            role_arn=known[3],
        )
    )
