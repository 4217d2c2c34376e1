"""`eks.Cluster`: a control plane with what the official plugin makes around it."""

from __future__ import annotations

import os
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from cloudcommerce_sandbox.plugins.eks import kubeconfig
from cloudcommerce_sandbox.plugins.eks.access import access_entries
from cloudcommerce_sandbox.plugins.eks.addons import VpcCniAddon, managed_addon
from cloudcommerce_sandbox.plugins.eks.security_groups import cluster_security_group, node_security_group
from cloudcommerce_sandbox.plugins.eks.service_role import ServiceRole
from cloudcommerce_sandbox.plugins.eks.storage_classes import storage_classes
from cloudcommerce_sandbox.plugins.eks.values import Inputs, compact_json, is_given, member, merged_tags

_NODE_POLICIES: Final = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
)
_IGNORED: Final = ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"]


class Cluster(pulumi.ComponentResource):
    """The component, made of the inputs that `checks` let through.

    An explicit AWS provider reaches the children by inheritance, as in the official plugin, whose demand for
    `providerCredentialOpts` beside one concerns programs in Node alone: other languages hand on a map of
    providers, in which it does not look.
    """

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> None:
        """Make the children in the official plugin's order.

        Args:
            name: Logical name.
            inputs: The component's inputs.
            opts: The caller's options.
        """
        super().__init__("eks:index:Cluster", name, None, opts)
        self._name = name
        self._inputs = inputs
        self._inside = pulumi.ResourceOptions(parent=self)
        self._tags = inputs.get("tags")
        self._partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition
        self._subnets = _subnets(inputs)
        self._has_groups = not inputs.get("skipDefaultSecurityGroups")

        self._service_role = None if is_given(inputs.get("serviceRole")) else self._make_service_role()
        self._cluster_group = self._choose_cluster_group()
        self.cluster = self._make_cluster()
        self._add_kube_proxy()
        self._credentials = self._choose_credentials()
        self._kubeconfig = kubeconfig.of_cluster(self.cluster, self._credentials, with_profile=False)
        self._kubernetes = self._make_kubernetes_provider()
        self._instance_roles = self._make_instance_roles()
        self._entries = self._make_access_entries()
        self._storage_classes = storage_classes(name, inputs.get("storageClasses"), self._inside_kubernetes())
        self._cni = self._add_cni()
        self._add_coredns()
        self._node_group, self._ingress_rule = self._make_node_group()
        self.state = {name: value for name, value in self._outputs().items() if value is not None}
        self.register_outputs(self.state)

    def _make_service_role(self) -> ServiceRole:
        return ServiceRole(
            f"{self._name}-eksRole",
            "eks.amazonaws.com",
            ("AmazonEKSClusterPolicy",),
            self._inside,
            partition=self._partition,
            actions=("sts:AssumeRole", "sts:TagSession"),
            description="Allows EKS to manage clusters on your behalf.",
            tags=self._tags,
        )

    def _choose_cluster_group(self) -> Any:
        given = self._inputs.get("clusterSecurityGroup")
        if is_given(given):
            return given
        if not self._has_groups:
            return None
        return cluster_security_group(
            self._name,
            self._inputs["vpcId"],
            self,
            tags=self._tags,
            own_tags=self._inputs.get("clusterSecurityGroupTags"),
        )

    def _role_arn(self) -> pulumi.Input[str]:
        if self._service_role is not None:
            return self._service_role.role.arn
        return member(self._inputs["serviceRole"], "arn")

    def _make_cluster(self) -> aws.eks.Cluster:
        inputs, name = self._inputs, f"{self._name}-eksCluster"
        role = self._service_role
        return aws.eks.Cluster(
            name,
            name=inputs.get("name"),
            role_arn=self._role_arn(),
            kubernetes_network_config=_service_network(inputs),
            bootstrap_self_managed_addons=_unless_given(inputs, "bootstrapSelfManagedAddons", default=True),
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                security_group_ids=[member(self._cluster_group, "id")]
                if is_given(self._cluster_group)
                else None,
                subnet_ids=self._subnets,
                endpoint_private_access=inputs.get("endpointPrivateAccess"),
                endpoint_public_access=inputs.get("endpointPublicAccess"),
                public_access_cidrs=inputs.get("publicAccessCidrs"),
            ),
            version=inputs.get("version"),
            enabled_cluster_log_types=inputs.get("enabledClusterLogTypes"),
            tags=merged_tags(inputs.get("clusterTags"), self._tags, name=name),
            encryption_config=_encryption(inputs),
            # The creator is the cluster's administrator: the component's own Kubernetes objects need it.
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode=inputs["authenticationMode"],
                bootstrap_cluster_creator_admin_permissions=True,
            ),
            upgrade_policy=inputs.get("upgradePolicy"),
            deletion_protection=inputs.get("deletionProtection"),
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=_IGNORED,
                depends_on=[role.role, *role.attachments] if role is not None else None,
            ),
        )

    def _add_kube_proxy(self) -> None:
        options = self._inputs.get("kubeProxyAddonOptions") or {}
        if _unless_given(options, "enabled", default=True):
            name = f"{self._name}-kube-proxy"
            managed_addon(name, "kube-proxy", options, self.cluster, self, tags=self._tags)

    def _choose_credentials(self) -> Any:
        given = self._inputs.get("providerCredentialOpts")
        profile = os.environ.get("AWS_PROFILE") or pulumi.Config("aws").get("profile")
        return {"profileName": profile} if profile and not is_given(given) else given

    def _make_kubernetes_provider(self) -> kubernetes.Provider:
        config = kubeconfig.of_cluster(self.cluster, self._credentials, with_profile=True)
        return kubernetes.Provider(
            f"{self._name}-eks-k8s",
            kubeconfig=config.apply(compact_json),
            enable_config_map_mutable=self._inputs.get("enableConfigMapMutable"),
            opts=self._inside,
        )

    def _make_instance_roles(self) -> list[Any]:
        inputs = self._inputs
        if is_given(inputs.get("instanceRole")):
            return [inputs["instanceRole"]]
        if not inputs.get("createInstanceRole"):
            return []
        role = ServiceRole(
            f"{self._name}-instanceRole",
            "ec2.amazonaws.com",
            _NODE_POLICIES,
            self._inside,
            partition=self._partition,
            tags=self._tags,
        )
        aws.iam.InstanceProfile(
            f"{self._name}-instanceProfile",
            role=member(role.attached, "name"),
            opts=self._inside,
        )
        return [role.attached]

    def _make_access_entries(self) -> list[aws.eks.AccessEntry]:
        wanted = dict(self._inputs.get("accessEntries") or {})
        if self._instance_roles:
            arn = member(self._instance_roles[0], "arn")
            nodes = {"principalArn": arn, "type": "EC2_LINUX"}
            wanted = {"defaultNodeGroupInstanceRole": nodes, **wanted}
        return access_entries(self._name, wanted, self.cluster, self)

    def _inside_kubernetes(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._kubernetes, depends_on=list(self._entries))

    def _add_cni(self) -> VpcCniAddon | None:
        if self._inputs.get("useDefaultVpcCni"):
            return None
        opts = pulumi.ResourceOptions(
            parent=self, depends_on=list(self._entries), providers={"kubernetes": self._kubernetes}
        )
        options = self._inputs.get("vpcCniOptions") or {}
        return VpcCniAddon(f"{self._name}-vpc-cni", options, self.cluster, opts, tags=self._tags)

    def _add_coredns(self) -> None:
        """Make the add-on if it is asked for: without a node group of the component it is not a default."""
        options = self._inputs.get("corednsAddonOptions") or {}
        if options.get("enabled") is True or is_given(options.get("configurationValues")):
            name = f"{self._name}-coredns"
            managed_addon(name, "coredns", options, self.cluster, self, tags=self._tags)

    def _make_node_group(self) -> tuple[Any, Any]:
        if not self._has_groups:
            return None, None
        return node_security_group(
            self._name,
            self._inputs["vpcId"],
            self.cluster,
            member(self._cluster_group, "id"),
            self,
            tags=merged_tags(self._inputs.get("nodeSecurityGroupTags"), self._tags),
        )

    def _outputs(self) -> dict[str, Any]:
        own_group = self.cluster.vpc_config.apply(lambda found: found.cluster_security_group_id)
        issuer = self.cluster.identities.apply(_issuer)
        return {
            "kubeconfig": self._kubeconfig,
            "kubeconfigJson": self._kubeconfig.apply(compact_json),
            "clusterSecurityGroup": self._cluster_group,
            "instanceRoles": self._instance_roles,
            "nodeSecurityGroup": self._node_group,
            "eksClusterIngressRule": self._ingress_rule,
            "eksCluster": self.cluster,
            "core": self._core(),
            "clusterSecurityGroupId": member(self._cluster_group, "id") if self._cluster_group else own_group,
            "nodeSecurityGroupId": self._node_group.id if self._node_group else own_group,
            "clusterIngressRuleId": _rule_id(self._ingress_rule),
            "defaultNodeGroupAsgName": "",
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "oidcProviderArn": "",
            "oidcProviderUrl": issuer,
            "oidcIssuer": issuer.apply(lambda url: url.replace("https://", "")),
            "autoModeNodeRoleName": "",
        }

    def _core(self) -> dict[str, Any]:
        inputs = self._inputs
        role = self._service_role.role if self._service_role is not None else inputs["serviceRole"]
        core = {
            "cluster": self.cluster,
            "clusterIamRole": role,
            "vpcId": inputs.get("vpcId"),
            "subnetIds": self._subnets,
            "publicSubnetIds": inputs.get("publicSubnetIds"),
            "privateSubnetIds": inputs.get("privateSubnetIds"),
            "endpoint": self.cluster.endpoint,
            "provider": self._kubernetes,
            "kubeconfig": self._kubeconfig,
            "instanceRoles": self._instance_roles,
            "nodeGroupOptions": {"version": inputs.get("version")} if inputs.get("version") else {},
            "accessEntries": list((inputs.get("accessEntries") or {}).values()),
            "clusterSecurityGroup": self._cluster_group,
            "encryptionConfig": _encryption(inputs),
            "storageClasses": self._storage_classes,
            "tags": self._tags,
            "nodeSecurityGroupTags": inputs.get("nodeSecurityGroupTags"),
            "vpcCni": self._cni,
            "autoModeNodeRoleName": "",
        }
        return {name: value for name, value in core.items() if value is not None}


def _unless_given(inputs: Inputs, name: str, *, default: bool) -> Any:
    value = inputs.get(name)
    return default if value is None else value


def _subnets(inputs: Inputs) -> Any:
    if inputs.get("subnetIds") is not None:
        return inputs["subnetIds"]
    given = (inputs.get("publicSubnetIds") or [], inputs.get("privateSubnetIds") or [])
    return pulumi.Output.all(*given).apply(lambda both: [*(both[0] or []), *(both[1] or [])])


def _rule_id(rule: Any) -> pulumi.Input[str]:
    return member(rule, "security_group_rule_id").apply(lambda known: known or "") if rule else ""


def _encryption(inputs: Inputs) -> aws.eks.ClusterEncryptionConfigArgs | None:
    key: Any = inputs.get("encryptionConfigKeyArn")
    if not is_given(key):
        return None
    provider = aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=key)
    return aws.eks.ClusterEncryptionConfigArgs(provider=provider, resources=["secrets"])


def _service_network(inputs: Inputs) -> Any:
    addresses, family = inputs.get("kubernetesServiceIpAddressRange"), inputs.get("ipFamily")
    if not is_given(addresses) and not is_given(family):
        return None

    def build(given: list[Any]) -> dict[str, Any]:
        chosen = given[1] or "ipv4"
        return {"ipFamily": chosen, "serviceIpv4Cidr": given[0] if chosen == "ipv4" else None}

    return pulumi.Output.all(addresses, family).apply(build)


def _issuer(identities: Any) -> str:
    for identity in identities or ():
        for provider in identity.oidcs or ():
            return str(provider.issuer or "")
    return ""
