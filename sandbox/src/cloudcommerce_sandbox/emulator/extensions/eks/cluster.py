"""A cluster: what EKS remembers of it and what it makes beside it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.logs.models import logs_backends

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.documents import Document, Update, now, present

if TYPE_CHECKING:
    from cloudcommerce_sandbox.emulator.extensions.eks.access import AccessEntry
    from cloudcommerce_sandbox.emulator.extensions.eks.addons import Addon
    from cloudcommerce_sandbox.emulator.extensions.eks.nodegroup import Nodegroup
    from cloudcommerce_sandbox.emulator.extensions.eks.pod_identity import Association

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
NAME_TAG = "aws:eks:cluster-name"

# A cluster has two to four interfaces in its subnets:
# https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
_MOST_INTERFACES = 4
_KEPT_AS_GIVEN = (
    "computeConfig",
    "storageConfig",
    "zonalShiftConfig",
    "remoteNetworkConfig",
    "controlPlaneScalingConfig",
    "kubeApiServerConfig",
    "kubeSchedulerConfig",
    "kubeControllerManagerConfig",
)


@dataclass
class Network:
    """What a cluster has in its VPC; made and removed by EKS.

    Attributes:
        vpc_id: the VPC of its subnets.
        security_group: the cluster security group.
        interfaces: identifiers of the control plane's network interfaces.
    """

    vpc_id: str
    security_group: str
    interfaces: list[str]


@dataclass
class Cluster:
    """A cluster.

    Attributes:
        settings: what DescribeCluster says back of the caller's configuration, by member.
        creator: ARN of the principal that created it.
        token: client request token of its creation, for a repeated call.
    """

    name: str
    arn: str
    account: str
    region: str
    version: str
    settings: Document
    tags: dict[str, str]
    creator: str
    network: Network
    token: str | None = None
    status: str = "CREATING"
    endpoint: str = ""
    certificate_authority: str = ""
    message: str = ""
    created_at: datetime = field(default_factory=now)
    identity: str = field(default_factory=lambda: secrets.token_hex(16).upper())
    updates: list[Update] = field(default_factory=list)
    nodegroups: dict[str, Nodegroup] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    access_entries: dict[str, AccessEntry] = field(default_factory=dict)
    associations: dict[str, Association] = field(default_factory=dict)
    # moto's Fargate profiles keep these two.
    fargate_profiles: dict[str, Any] = field(default_factory=dict)
    fargate_profile_count: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it takes node groups, add-ons and the like."""
        return self.status in {"ACTIVE", "UPDATING"}

    @property
    def authentication_mode(self) -> str:
        """How principals get in: API, API_AND_CONFIG_MAP or CONFIG_MAP."""
        return str(self.settings["accessConfig"]["authenticationMode"])

    @property
    def creator_is_admin(self) -> bool:
        """Whether its creator was made an administrator."""
        return bool(self.settings["accessConfig"]["bootstrapClusterCreatorAdminPermissions"])

    @property
    def issuer(self) -> str:
        """URL of its OpenID Connect issuer."""
        return f"https://oidc.eks.{self.region}.amazonaws.com/id/{self.identity}"

    @property
    def security_groups(self) -> list[str]:
        """The groups that its interfaces carry."""
        given: list[str] = self.settings["resourcesVpcConfig"]["securityGroupIds"]
        return [*given, self.network.security_group]

    def activate(self, endpoint: str = "", certificate_authority: str = "") -> None:
        """Makes it ACTIVE and ends its open updates; where no endpoint is given, nobody is behind it."""
        self.endpoint = endpoint or self.endpoint or self._placeholder_endpoint()
        placeholder = base64.b64encode(b"no control plane stands behind this cluster").decode()
        self.certificate_authority = certificate_authority or self.certificate_authority or placeholder
        self.status, self.message = "ACTIVE", ""
        self.open_log_group()
        for update in self.updates:
            if update.is_open and not (update.nodegroup or update.addon):
                # Until then it runs the version that it had, and after a failure again.
                self.version = update.params.get("Version", self.version)
                update.finish()

    def open_log_group(self) -> None:
        """Makes the log group of the control plane where logs are on; EKS uses one that is there already.

        https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html: it outlives the cluster.
        """
        if any(entry["enabled"] for entry in self.settings["logging"]["clusterLogging"]):
            logs: Any = logs_backends[self.account][self.region]
            logs.ensure_log_group(f"/aws/eks/{self.name}/cluster")

    def fail(self, message: str) -> None:
        """Makes it FAILED, or fails its open updates once it has been up."""
        self.message = message
        if self.status == "CREATING":
            self.status = "FAILED"
        for update in self.updates:
            if update.is_open and not (update.nodegroup or update.addon):
                update.finish([{"errorCode": "Unknown", "errorMessage": message, "resourceIds": [self.name]}])
                self.status = "ACTIVE"

    def _placeholder_endpoint(self) -> str:
        return f"https://{self.identity}.gr7.{self.region}.eks.amazonaws.com"

    def describe(self) -> Document:
        """Returns the API's Cluster."""
        issues = [{"code": "Other", "message": self.message, "resourceIds": []}] if self.message else []
        document = {
            "name": self.name,
            "arn": self.arn,
            "createdAt": self.created_at,
            "version": self.version,
            "platformVersion": kubernetes_catalog.versions()[self.version].platform,
            "status": self.status,
            "health": {"issues": issues},
            "identity": {"oidc": {"issuer": self.issuer}},
            "tags": self.tags,
            **self.settings,
        }
        if self.endpoint:
            document["endpoint"] = self.endpoint
            document["certificateAuthority"] = {"data": self.certificate_authority}
        else:
            document["certificateAuthority"] = {}
        return document


def settings_of(parameters: Mapping[str, Any], network: Network) -> Document:
    """Returns what DescribeCluster says of a creation's parameters, with what EKS takes where none are given.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    """
    access = parameters.get("accessConfig") or {}
    return {
        "roleArn": parameters["roleArn"],
        "resourcesVpcConfig": {
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            **_vpc_settings(parameters["resourcesVpcConfig"]),
            "clusterSecurityGroupId": network.security_group,
            "vpcId": network.vpc_id,
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "172.20.0.0/16",
            "ipFamily": "ipv4",
            "elasticLoadBalancing": {"enabled": False},
            **(parameters.get("kubernetesNetworkConfig") or {}),
        },
        "logging": logging_of(parameters.get("logging")),
        "encryptionConfig": parameters.get("encryptionConfig") or [],
        "accessConfig": {
            "authenticationMode": access.get("authenticationMode", "CONFIG_MAP"),
            "bootstrapClusterCreatorAdminPermissions": access.get(
                "bootstrapClusterCreatorAdminPermissions", True
            ),
        },
        "upgradePolicy": parameters.get("upgradePolicy") or {"supportType": "EXTENDED"},
        "deletionProtection": bool(parameters.get("deletionProtection")),
        **present({name: parameters.get(name) for name in _KEPT_AS_GIVEN}),
    }


def _vpc_settings(given: Mapping[str, Any]) -> Document:
    kept = present(given)
    if kept.get("endpointPublicAccess", True):
        return {"publicAccessCidrs": ["0.0.0.0/0"], **kept}
    return {**kept, "publicAccessCidrs": []}


def merge_vpc_settings(current: Document, changes: Mapping[str, Any]) -> Document:
    """Returns a cluster's VPC settings after an update, which names only what changes."""
    merged = {**current, **present(changes)}
    if not merged["endpointPublicAccess"]:
        merged["publicAccessCidrs"] = []
    elif not merged["publicAccessCidrs"]:
        merged["publicAccessCidrs"] = ["0.0.0.0/0"]
    return merged


def logging_of(given: Mapping[str, Any] | None, current: Mapping[str, Any] | None = None) -> Document:
    """Returns the log types that are on and off, after what is given is applied to what was."""
    enabled = {
        kind
        for entry in (current or {}).get("clusterLogging", ())
        if entry["enabled"]
        for kind in entry["types"]
    }
    for entry in (given or {}).get("clusterLogging", ()):
        change = enabled.update if entry.get("enabled") else enabled.difference_update
        change(entry.get("types") or ())
    on = [kind for kind in LOG_TYPES if kind in enabled]
    off = [kind for kind in LOG_TYPES if kind not in enabled]
    return {"clusterLogging": [{"types": kinds, "enabled": kinds is on} for kinds in (on, off) if kinds]}


def make_network(account: str, region: str, name: str, parameters: Mapping[str, Any]) -> Network:
    """Makes the cluster security group and the control plane's interfaces.

    https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    """
    ec2: Any = ec2_backends[account][region]
    config = parameters["resourcesVpcConfig"]
    subnets = [ec2.get_subnet(subnet) for subnet in config["subnetIds"]]
    vpc_id = subnets[0].vpc_id
    group_name = f"eks-cluster-sg-{name}-{secrets.randbelow(10**9):09}"
    group = ec2.create_security_group(
        group_name,
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as "
        "well as any managed workloads.",
        vpc_id=vpc_id,
        tags={"Name": group_name, NAME_TAG: name, f"kubernetes.io/cluster/{name}": "owned"},
    )
    ec2.authorize_security_group_ingress(
        group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}], vpc_id=vpc_id
    )
    interfaces = [
        ec2.create_network_interface(
            subnet,
            subnet.get_available_subnet_ip(instance=None),
            group_ids=[*(config.get("securityGroupIds") or ()), group.id],
            description=f"Amazon EKS {name}",
            tags={NAME_TAG: name},
        )
        for subnet in subnets[:_MOST_INTERFACES]
    ]
    for interface in interfaces:
        interface.requester_managed, interface.status = True, "in-use"
    return Network(vpc_id, group.id, [interface.id for interface in interfaces])


def remove_network(cluster: Cluster) -> None:
    """Removes what `make_network` made."""
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    for interface in cluster.network.interfaces:
        removed = ec2.enis.pop(interface, None)
        if removed is not None:
            removed.subnet.del_subnet_ip(removed.private_ip_address)
    ec2.groups.get(cluster.network.vpc_id, {}).pop(cluster.network.security_group, None)
