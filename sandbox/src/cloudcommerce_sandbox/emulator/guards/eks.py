"""What EKS refuses of clusters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_network
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.models import backend_of
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError

API = "https://docs.aws.amazon.com/eks/latest/APIReference"
GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide"

# Nodes may be three minor versions older than the control plane.
NODE_SKEW = 3
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
_MIN_ZONES = 2
_SERVICE_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_SERVICE_PREFIXES = range(12, 25)
# EKS puts no control plane into these zones; a zone's identifier is the same in every account.
_ZONES_WITHOUT_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
# The order in which the authentication mode may change.
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_AUTO_MODE = frozenset({"computeConfig", "storageConfig", "kubernetesNetworkConfig"})


def parameter(message: str) -> ApiError:
    """Returns the error of a parameter that EKS does not take."""
    return ApiError("InvalidParameterException", message, 400)


def cluster_of(request: Request) -> Cluster | None:
    """Returns the cluster that a call is about, or None: that there is none, the operation itself says."""
    name = request.get("clusterName") or request.get("name")
    return backend_of(state.ACCOUNT, request.region).cluster_operations.clusters.get(str(name))


def require_version(version: str) -> None:
    """Raises an ApiError when EKS does not offer a Kubernetes version."""
    today = datetime.now(UTC).date()
    known = kubernetes_catalog.versions()
    offered = [name for name, known_version in known.items() if known_version.support(today) != "UNSUPPORTED"]
    if version not in offered:
        raise parameter(
            f"unsupported Kubernetes version {version}; supported are {', '.join(offered)} "
            f"({kubernetes_catalog.source('versions')})"
        )


def require_trust(arn: str, service: str) -> None:
    """Raises an ApiError when a role does not exist or does not trust a service."""
    if not state.trusts(arn, service):
        raise parameter(
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is "
            f"not correct: it must trust {service}"
        )


@refuses("eks", "CreateCluster", source=f"{GUIDE}/kubernetes-versions.html")
def kubernetes_version_out_of_support(request: Request) -> None:
    """Only Kubernetes versions in standard or extended support."""
    if request.get("version"):
        require_version(request.get("version"))


@refuses("eks", "CreateCluster", source=f"{API}/API_CreateCluster.html")
def cluster_name_rules(request: Request) -> None:
    """1 to 100 letters, digits, dashes and underscores, the first a letter or a digit."""
    if not _NAME.fullmatch(str(request.get("name"))):
        raise parameter(f"The cluster name {request.get('name')!r} is not 1 to 100 of A-Z, a-z, 0-9, - and _")


@refuses("eks", "CreateCluster", source=f"{GUIDE}/cluster-iam-role.html")
def cluster_role_without_trust(request: Request) -> None:
    """EKS must be able to assume the cluster's role."""
    require_trust(str(request.get("roleArn")), "eks.amazonaws.com")


@refuses("eks", "CreateCluster", "UpdateClusterConfig", source=f"{GUIDE}/network-reqs.html")
def subnets_of_a_cluster(request: Request) -> None:
    """Subnets of one VPC in at least two zones, none of them one that EKS does not serve."""
    subnets = (request.get("resourcesVpcConfig") or {}).get("subnetIds")
    if subnets is None and request.operation != "CreateCluster":
        return
    subnets = subnets or []
    state.require_subnets(request.region, subnets, "InvalidParameterException")
    zones = state.zones_of(request.region, subnets)
    if len(zones) < _MIN_ZONES:
        raise parameter(f"Subnets specified must be in at least two different AZs, got {sorted(zones)}")
    found = [state.backend("ec2", request.region).get_subnet(subnet) for subnet in subnets]
    vpcs = sorted({subnet.vpc_id for subnet in found})
    if len(vpcs) > 1:
        raise parameter(f"Subnets specified must be in one VPC, got {', '.join(vpcs)}")
    for subnet in found:
        if subnet.availability_zone_id in _ZONES_WITHOUT_EKS:
            raise ApiError(
                "UnsupportedAvailabilityZoneException",
                f"Cannot create cluster because {subnet.availability_zone}, the targeted availability zone, "
                f"does not currently have sufficient capacity to support the cluster.",
                400,
            )


@refuses("eks", "CreateCluster", "UpdateClusterConfig", source=f"{GUIDE}/sec-group-reqs.html")
def security_groups_of_a_cluster(request: Request) -> None:
    """Additional security groups must exist."""
    groups = (request.get("resourcesVpcConfig") or {}).get("securityGroupIds")
    state.require_security_groups(request.region, groups, "InvalidParameterException")


@refuses("eks", "CreateCluster", "UpdateClusterConfig", source=f"{GUIDE}/cluster-endpoint.html")
def cluster_without_an_endpoint(request: Request) -> None:
    """At least one of the endpoints is on, and the public one has valid ranges."""
    given = request.get("resourcesVpcConfig") or {}
    cluster = cluster_of(request) if request.operation == "UpdateClusterConfig" else None
    current = cluster.settings["resourcesVpcConfig"] if cluster else {}
    access = {"endpointPublicAccess": True, "endpointPrivateAccess": False, **current, **given}
    if not access["endpointPublicAccess"] and not access["endpointPrivateAccess"]:
        raise parameter("Private and public endpoint access cannot both be disabled.")
    for cidr in given.get("publicAccessCidrs") or ():
        _network(cidr)


@refuses("eks", "CreateCluster", source=f"{API}/API_KubernetesNetworkConfigRequest.html")
def service_range_of_a_cluster(request: Request) -> None:
    """A private range of /12 to /24 that the VPC does not use."""
    cidr = (request.get("kubernetesNetworkConfig") or {}).get("serviceIpv4Cidr")
    if not cidr:
        return
    services = _network(cidr)
    if services.prefixlen not in _SERVICE_PREFIXES or not any(
        services.subnet_of(private) for private in _SERVICE_RANGES
    ):
        raise parameter(f"serviceIpv4Cidr {cidr} must be a /12 to /24 within a private range")
    ec2 = state.backend("ec2", request.region)
    for subnet in (request.get("resourcesVpcConfig") or {}).get("subnetIds") or ():
        vpc = ec2.vpcs[ec2.get_subnet(subnet).vpc_id]
        if services.overlaps(_network(vpc.cidr_block)):
            raise parameter(f"serviceIpv4Cidr {cidr} overlaps {vpc.cidr_block} of {vpc.id}")


def _network(cidr: str) -> IPv4Network:
    try:
        network: Any = ip_network(cidr)
    except ValueError as error:
        raise parameter(f"{cidr!r} is no CIDR block: {error}") from error
    if not isinstance(network, IPv4Network):
        raise parameter(f"{cidr!r} is no IPv4 CIDR block")
    return network


@refuses("eks", "CreateCluster", "AssociateEncryptionConfig", source=f"{GUIDE}/enable-kms.html")
def encryption_key_of_a_cluster(request: Request) -> None:
    """Secrets are encrypted with one key, which exists, is enabled and symmetric."""
    for config in request.get("encryptionConfig") or ():
        key_arn = (config.get("provider") or {}).get("keyArn")
        if config.get("resources") != ["secrets"] or not key_arn:
            raise parameter('encryptionConfig takes the resources ["secrets"] and a provider with a keyArn')
        state.require_usable_key(request.region, key_arn, "InvalidParameterException")
        key = state.kms_key(request.region, key_arn)
        if key is not None and key.key_spec != "SYMMETRIC_DEFAULT":
            raise parameter(f"The KMS key {key_arn} is {key.key_spec}; it must be symmetric")


@refuses("eks", "UpdateClusterConfig", source=f"{API}/API_UpdateClusterConfig.html")
def several_kinds_of_update_at_once(request: Request) -> None:
    """One call changes one thing; Auto Mode's three parts go together."""
    given = {name for name, value in request.parameters.items() if value is not None}
    kinds = given - {"name", "clientRequestToken"}
    if len({"autoMode" if kind in _AUTO_MODE else kind for kind in kinds}) > 1:
        raise parameter(f"Only one type of update can be allowed, got {', '.join(sorted(kinds))}.")


@refuses("eks", "UpdateClusterConfig", source=f"{GUIDE}/setting-up-access-entries.html")
def authentication_mode_that_goes_back(request: Request) -> None:
    """The authentication mode goes from the ConfigMap to the API, and never back."""
    cluster, wanted = cluster_of(request), (request.get("accessConfig") or {}).get("authenticationMode")
    if cluster is None or not wanted:
        return
    current = cluster.authentication_mode
    if wanted not in _MODES or _MODES.index(wanted) < _MODES.index(current):
        raise parameter(f"Unsupported authentication mode update from {current} to {wanted}")


@refuses("eks", "UpdateClusterVersion", source=f"{GUIDE}/update-cluster.html")
def cluster_version_that_skips(request: Request) -> None:
    """One minor version at a time, upwards, and not away from nodes that are too old."""
    cluster = cluster_of(request)
    if cluster is None:
        return
    version = str(request.get("version"))
    require_version(version)
    wanted, current = kubernetes_catalog.minor(version), kubernetes_catalog.minor(cluster.version)
    if wanted != current + 1:
        raise parameter(f"Unsupported Kubernetes minor version update from {cluster.version} to {version}")
    old = [
        group.name
        for group in cluster.nodegroups.values()
        if kubernetes_catalog.minor(group.settings.get("version") or cluster.version) < wanted - NODE_SKEW
    ]
    if old:
        raise ApiError(
            "InvalidRequestException",
            f"Nodegroups {', '.join(old)} are more than {NODE_SKEW} minor versions older than {version}; "
            "update them first",
            400,
        )
