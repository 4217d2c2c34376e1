"""Kinds of the network."""

from operations.catalogue.model import Kind, Thing, simply
from operations.clients import Clients


def _delete_internet_gateway(clients: Clients, thing: Thing) -> None:
    for attachment in thing.item.get("Attachments", ()):
        clients.get("ec2").detach_internet_gateway(InternetGatewayId=thing.id, VpcId=attachment["VpcId"])
    clients.get("ec2").delete_internet_gateway(InternetGatewayId=thing.id)


def _delete_route_table(clients: Clients, thing: Thing) -> None:
    for association in thing.item.get("Associations", ()):
        if not association.get("Main"):
            clients.get("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    clients.get("ec2").delete_route_table(RouteTableId=thing.id)


def _delete_security_group(clients: Clients, thing: Thing) -> None:
    ec2 = clients.get("ec2")
    if rules := thing.item.get("IpPermissions"):
        ec2.revoke_security_group_ingress(GroupId=thing.id, IpPermissions=rules)
    if rules := thing.item.get("IpPermissionsEgress"):
        ec2.revoke_security_group_egress(GroupId=thing.id, IpPermissions=rules)
    ec2.delete_security_group(GroupId=thing.id)


def _delete_rule(clients: Clients, thing: Thing) -> None:
    ec2 = clients.get("ec2")
    revoke = ec2.revoke_security_group_egress if thing.item["IsEgress"] else ec2.revoke_security_group_ingress
    revoke(GroupId=thing.item["GroupId"], SecurityGroupRuleIds=[thing.id])


def _rule(resource_type: str, condition: str) -> Kind:
    return Kind(
        resource_type=resource_type,
        service="ec2",
        operation="describe_security_group_rules",
        items=f"SecurityGroupRules[?{condition}]",
        id="SecurityGroupRuleId",
        arn="SecurityGroupRuleArn",
        arn_type="ec2:security-group-rule",
        delete=_delete_rule,
        rank=60,
    )


KINDS = (
    Kind(
        resource_type="aws:ec2/vpcEndpoint:VpcEndpoint",
        service="ec2",
        operation="describe_vpc_endpoints",
        items="VpcEndpoints",
        id="VpcEndpointId",
        arn_type="ec2:vpc-endpoint",
        state="State",
        delete=simply("delete_vpc_endpoints", "VpcEndpointIds[]"),
        rank=40,
    ),
    Kind(
        resource_type="aws:ec2/flowLog:FlowLog",
        service="ec2",
        operation="describe_flow_logs",
        items="FlowLogs",
        id="FlowLogId",
        arn_type="ec2:vpc-flow-log",
        delete=simply("delete_flow_logs", "FlowLogIds[]"),
        rank=40,
    ),
    Kind(
        resource_type="aws:ec2/natGateway:NatGateway",
        service="ec2",
        operation="describe_nat_gateways",
        items="NatGateways",
        id="NatGatewayId",
        arn_type="ec2:natgateway",
        state="State",
        delete=simply("delete_nat_gateway", "NatGatewayId"),
        rank=40,
    ),
    Kind(
        resource_type="aws:ec2/eip:Eip",
        service="ec2",
        operation="describe_addresses",
        items="Addresses[?AllocationId]",
        id="AllocationId",
        arn_type="ec2:elastic-ip",
        delete=simply("release_address", "AllocationId"),
        rank=60,
    ),
    _rule("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "!IsEgress"),
    _rule("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "IsEgress"),
    Kind(
        resource_type="aws:ec2/routeTable:RouteTable",
        service="ec2",
        operation="describe_route_tables",
        # The main table is the VPC's own: it comes and goes with it.
        items="RouteTables[?!(Associations[?Main])]",
        id="RouteTableId",
        arn_type="ec2:route-table",
        delete=_delete_route_table,
        rank=70,
    ),
    Kind(
        resource_type="aws:ec2/subnet:Subnet",
        service="ec2",
        operation="describe_subnets",
        items="Subnets",
        id="SubnetId",
        arn="SubnetArn",
        arn_type="ec2:subnet",
        state="State",
        delete=simply("delete_subnet", "SubnetId"),
        rank=75,
    ),
    Kind(
        resource_type="aws:ec2/securityGroup:SecurityGroup",
        service="ec2",
        operation="describe_security_groups",
        items="SecurityGroups[?GroupName != 'default']",
        id="GroupId",
        arn="SecurityGroupArn",
        arn_type="ec2:security-group",
        name="GroupName",
        name_input="name",
        delete=_delete_security_group,
        rank=75,
    ),
    Kind(
        resource_type="aws:ec2/internetGateway:InternetGateway",
        service="ec2",
        operation="describe_internet_gateways",
        items="InternetGateways",
        id="InternetGatewayId",
        arn_type="ec2:internet-gateway",
        delete=_delete_internet_gateway,
        rank=75,
    ),
    Kind(
        resource_type="aws:ec2/vpc:Vpc",
        service="ec2",
        operation="describe_vpcs",
        items="Vpcs",
        id="VpcId",
        arn_type="ec2:vpc",
        state="State",
        delete=simply("delete_vpc", "VpcId"),
        rank=90,
    ),
)
