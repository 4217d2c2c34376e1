"""The EKS control plane. The only place that knows pulumi-eks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

_API_PORT = 443

# https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True, kw_only=True)
class EksClusterArgs:
    """What the control plane is.

    Attributes:
        cluster_name: Its physical name. Fixed, because EKS writes its logs to a group of this name, which has
            to exist before with key and retention.
        version: Kubernetes version, major and minor.
        vpc_id: The network.
        vpc_cidr: Its address range, from which the API is reached by whoever runs `pulumi up` inside.
        subnet_ids: Private subnets, one in each zone, for the interfaces of the control plane.
        public_access_cidrs: Networks that may reach the API from outside the VPC; none closes it.
        secrets_key_arn: KMS key of the `secrets` data class, which encrypts Kubernetes secrets.
        logs_key_arn: KMS key of the `operations` data class.
        log_retention_days: Days that control-plane logs are kept.
        deletion_protection: Whether EKS refuses to delete the cluster.
    """

    cluster_name: str
    version: str
    vpc_id: pulumi.Input[str]
    vpc_cidr: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    public_access_cidrs: Sequence[str]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    deletion_protection: bool


class EksCluster(pulumi.ComponentResource):
    """A control plane that knows its users by IAM alone and runs nothing yet: no nodes, no add-ons.

    Nodes carry the security group that EKS makes for the cluster; pulumi-eks adds none of its own.

    Attributes:
        cluster_name: Physical name of the cluster.
        cluster_arn: ARN of the cluster.
        endpoint: URL of its API, with the way to it open.
        certificate_authority: Base64 of the PEM that signs the API's certificate.
        security_group_id: The group that EKS made; its members reach the control plane and each other.
        log_group_name: Where the control plane's logs are.
    """

    cluster_name: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:EksCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=log_group_name(args.cluster_name),
            kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days,
            tags={"Name": f"{name}-logs"},
            opts=child,
        )
        cluster = eks.Cluster(
            name,
            # By way of the log group, which so is there before the cluster writes and goes after it.
            name=log_group.name.apply(cluster_of),
            version=args.version,
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            authentication_mode=eks.AuthenticationMode.API,
            vpc_id=args.vpc_id,
            private_subnet_ids=list(args.subnet_ids),
            endpoint_private_access=True,
            endpoint_public_access=bool(args.public_access_cidrs),
            public_access_cidrs=list(args.public_access_cidrs) or None,
            encryption_config_key_arn=args.secrets_key_arn,
            enabled_cluster_log_types=list(LOG_TYPES),
            deletion_protection=args.deletion_protection,
            # Nodes and add-ons are resources of our own, with settings that pulumi-eks does not have.
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_instance_role=False,
            create_oidc_provider=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=False),
            # Asked for where the AWS provider is explicit; empty means the caller's own credentials.
            provider_credential_opts=eks.KubeconfigOptionsArgs(),
            opts=child,
        ).eks_cluster
        self.security_group_id = cluster.apply(
            lambda it: it.vpc_config.apply(lambda network: network.cluster_security_group_id or "")
        )
        way_in = self._admit(f"{name}-api", args.vpc_cidr)
        self.cluster_name = cluster.apply(lambda it: it.name)
        self.cluster_arn = cluster.apply(lambda it: it.arn)
        endpoint: pulumi.Output[str] = cluster.apply(lambda it: it.endpoint)
        self.endpoint = pulumi.Output.all(endpoint, way_in.id).apply(lambda known: str(known[0]))
        self.certificate_authority = cluster.apply(
            lambda it: it.certificate_authority.apply(lambda authority: authority.data or "")
        )
        self.log_group_name = log_group.name
        self.register_outputs({output: getattr(self, output) for output in EksCluster.__annotations__})

    def _admit(self, name: str, cidr: pulumi.Input[str]) -> aws.vpc.SecurityGroupIngressRule:
        """Open the private endpoint to a network: by itself EKS admits the members of its group alone."""
        return aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=self.security_group_id,
            description="API of the cluster, from inside the VPC",
            ip_protocol="tcp",
            from_port=_API_PORT,
            to_port=_API_PORT,
            cidr_ipv4=cidr,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )


def log_group_name(cluster_name: str) -> str:
    """Where EKS writes a cluster's logs: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html."""
    return f"/aws/eks/{cluster_name}/cluster"


def cluster_of(log_group: str) -> str:
    """The cluster whose logs a group keeps."""
    return log_group.removeprefix("/aws/eks/").removesuffix("/cluster")
