"""What Amazon VPC refuses."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError

_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"
_VPC = "https://docs.aws.amazon.com/vpc/latest"


def _ec2(request: Request) -> Any:
    return state.backend("ec2", request.region)


def _internet_gateway_of(ec2: Any, vpc_id: str) -> Any | None:
    gateways = ec2.internet_gateways.values()
    return next((gateway for gateway in gateways if gateway.vpc and gateway.vpc.id == vpc_id), None)


@refuses("ec2", "CreateNatGateway", source=f"{_API}/API_NatGateway.html")
def nat_gateway_without_internet_gateway(request: Request) -> None:
    """A public NAT gateway needs an internet gateway on its VPC.

    AWS takes the call, and the gateway fails with this code a moment later.
    """
    if request.get("ConnectivityType", "public") != "public":
        return
    ec2 = _ec2(request)
    subnet = next(
        (zone[request.get("SubnetId")] for zone in ec2.subnets.values() if request.get("SubnetId") in zone),
        None,
    )
    if subnet is not None and _internet_gateway_of(ec2, subnet.vpc_id) is None:
        raise ApiError("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")


@refuses("ec2", "CreateNatGateway", source=f"{_API}/API_NatGateway.html")
def nat_gateway_on_a_used_address(request: Request) -> None:
    """An elastic IP serves one NAT gateway.

    AWS takes the call, and the gateway fails with this code a moment later.
    """
    allocation = request.get("AllocationId")
    ec2 = _ec2(request)
    for gateway in ec2.nat_gateways.values():
        if gateway.state != "deleted" and any(
            a.get("allocationId") == allocation for a in gateway.address_set
        ):
            message = f"Elastic IP address [{allocation}] is already associated"
            raise ApiError("Resource.AlreadyAssociated", message)


@refuses("ec2", "CreateVpcEndpoint", source=f"{_VPC}/privatelink/aws-services-privatelink-support.html")
def endpoint_of_another_region(request: Request) -> None:
    """The service must be one of this region."""
    name = str(request.get("ServiceName"))
    if name.startswith("com.amazonaws.") and not name.startswith(f"com.amazonaws.{request.region}."):
        raise ApiError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")


@refuses("ec2", "CreateVpcEndpoint", source=f"{_VPC}/privatelink/gateway-endpoints.html")
def second_gateway_endpoint_in_a_route_table(request: Request) -> None:
    """A route table has one route to each service."""
    if request.get("VpcEndpointType", "Gateway") != "Gateway":
        return
    wanted = set(request.get("RouteTableIds") or ())
    for endpoint in _ec2(request).vpc_end_points.values():
        is_gateway = (endpoint.vpc_endpoint_type or "Gateway") == "Gateway"
        same = is_gateway and endpoint.service_name == request.get("ServiceName")
        for table in sorted(wanted & set(endpoint.route_table_ids or ())) if same else ():
            message = f"route table {table} already has a route with destination-prefix-list-id"
            raise ApiError("RouteAlreadyExists", message)


@refuses("ec2", "CreateVpcEndpoint", source=f"{_VPC}/privatelink/create-interface-endpoint.html")
def private_dns_without_dns_of_the_vpc(request: Request) -> None:
    """Private DNS names need both DNS attributes of the VPC."""
    vpc = _ec2(request).vpcs.get(request.get("VpcId"))
    if (
        vpc is None
        or request.get("VpcEndpointType") != "Interface"
        or request.get("PrivateDnsEnabled") is False
    ):
        return
    if not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
        raise ApiError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            "attributes set to true "
            f"for {vpc.id}",
        )


def _on(attribute: bool | str) -> bool:
    return str(attribute).lower() == "true"


@refuses("ec2", "CreateVpcEndpoint", source=f"{_VPC}/privatelink/create-interface-endpoint.html")
def two_endpoint_subnets_in_a_zone(request: Request) -> None:
    """An interface endpoint has one subnet a zone."""
    subnets = request.get("SubnetIds") or []
    if len(state.zones_of(request.region, subnets)) < len(set(subnets)):
        raise ApiError(
            "DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone"
        )


@refuses("ec2", "CreateVpcEndpoint", source=f"{_API}/errors-overview.html")
def endpoint_with_a_missing_security_group(request: Request) -> None:
    """Security groups must exist."""
    state.require_security_groups(request.region, request.get("SecurityGroupIds"), "InvalidGroup.NotFound")


@refuses("ec2", "DeleteSecurityGroup", source=f"{_API}/API_DeleteSecurityGroup.html")
def security_group_in_use(request: Request) -> None:
    """A group that a data store, a broker, a load balancer, a cluster or a node carries stays."""
    group, region = request.get("GroupId"), request.region
    rds = state.backend("rds", region)
    carriers = [
        *((i.db_instance_identifier, i.vpc_security_group_ids) for i in rds.databases.values()),
        *((c.db_cluster_identifier, c.vpc_security_group_ids) for c in rds.clusters.values()),
        *((p.db_proxy_name, p.vpc_security_group_ids) for p in rds.db_proxies.values()),
        *(
            (g.replication_group_id, g.security_group_ids)
            for g in state.backend("elasticache", region).replication_groups.values()
        ),
        *((b.name, b.security_groups) for b in state.backend("mq", region).brokers.values()),
        *((b.name, b.security_groups) for b in state.backend("elbv2", region).load_balancers.values()),
    ]
    for carrier, groups in [*carriers, *_interface_groups(request)]:
        if group in (groups or ()):
            message = f"resource {group} has a dependent object: {carrier}"
            raise ApiError("DependencyViolation", message)


def _interface_groups(request: Request) -> list[tuple[str, list[str]]]:
    """The groups of the interfaces in use; one that is attached to nothing holds its groups as well."""
    return [(i.id, [group.id for group in i.group_set]) for i in _interfaces(request)]


def _interfaces(request: Request) -> list[Any]:
    """The network interfaces in use; those of a terminated instance went with it."""
    return [
        interface
        for interface in _ec2(request).enis.values()
        if interface.instance is None or interface.instance.state != "terminated"
    ]


@refuses("ec2", "DeleteSubnet", source=f"{_API}/API_DeleteSubnet.html")
def subnet_with_network_interfaces(request: Request) -> None:
    """A subnet that network interfaces are in stays."""
    subnet = request.get("SubnetId")
    if any(interface.subnet.id == subnet for interface in _interfaces(request)):
        message = f"The subnet '{subnet}' has dependencies and cannot be deleted."
        raise ApiError("DependencyViolation", message)


@refuses("ec2", "DeleteVpc", source=f"{_API}/API_DeleteVpc.html")
def vpc_in_use(request: Request) -> None:
    """A VPC goes with its default security group, and with nothing else in it."""
    vpc = request.get("VpcId")
    groups = [group.name for group in _ec2(request).groups.get(vpc, {}).values() if group.name != "default"]
    if groups or any(interface.subnet.vpc_id == vpc for interface in _interfaces(request)):
        raise ApiError("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted.")


@refuses("ec2", "CreateFlowLogs", source=f"{_VPC}/userguide/flow-logs-iam-role.html")
def flow_log_role_without_trust(request: Request) -> None:
    """Flow logs to CloudWatch need a role that lets them in."""
    arn = request.get("DeliverLogsPermissionArn")
    if arn and not state.trusts(arn, "vpc-flow-logs.amazonaws.com"):
        raise ApiError(
            "InvalidParameter",
            f"Unable to assume given IAM role: '{arn}': it must trust vpc-flow-logs.amazonaws.com",
        )
