"""VPCs and subnets."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Fetch,
    Field,
    Id,
    Read,
    ResourceType,
    Run,
    Step,
)
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_VPC = {"VpcId": "{id}"}
_OF_VPC = {"Filters": [{"Name": "vpc-id", "Values": ["{id}"]}]}
_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
# ModifyVpcAttribute takes one attribute a call:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html
_VPC_STEPS: tuple[Step, ...] = tuple(
    Call("modify_vpc_attribute", set=_VPC, on=(name,)) for name in _ATTRIBUTES
)


def _ipv6(context: Context) -> None:
    if context.inputs.get("assignGeneratedIpv6CidrBlock"):
        context.call("associate_vpc_cidr_block", VpcId=context.id, AmazonProvidedIpv6CidrBlock=True)
    elif association := context.state.get("ipv6AssociationId"):
        context.call("disassociate_vpc_cidr_block", AssociationId=association)


def _tenancy_replaces(before: Properties, now: Properties) -> bool:
    """Only from dedicated to default a VPC can change in place."""
    return (before.get("instanceTenancy"), now.get("instanceTenancy") or "default") != (
        "dedicated",
        "default",
    )


def _of_vpc(operation: str, item: str, into: str) -> Fetch:
    return Fetch(operation, set=_OF_VPC, item=item, into=into, always=True)


VPC = ResourceType(
    pulumi_type="aws:ec2/vpc:Vpc",
    service="ec2",
    docs=f"{_REGISTRY}/vpc",
    id=Id(response="Vpc.VpcId"),
    create=(Call("create_vpc", item="Vpc"), *_VPC_STEPS),
    read=Read(
        "describe_vpcs",
        set={"VpcIds": "{id}"},
        item="Vpcs[0]",
        also=(
            *(
                Fetch(
                    "describe_vpc_attribute",
                    set={**_VPC, "Attribute": name},
                    item=f"{name[0].upper()}{name[1:]}.Value",
                    into=name,
                    always=True,
                )
                for name in _ATTRIBUTES
            ),
            _of_vpc(
                "describe_route_tables",
                "RouteTables[?Associations[?Main]].RouteTableId | [0]",
                "MainRouteTableId",
            ),
            _of_vpc(
                "describe_network_acls", "NetworkAcls[?IsDefault].NetworkAclId | [0]", "DefaultNetworkAclId"
            ),
            _of_vpc(
                "describe_security_groups",
                "SecurityGroups[?GroupName=='default'].GroupId | [0]",
                "DefaultSecurityGroupId",
            ),
        ),
    ),
    update=(
        *_VPC_STEPS,
        Call("modify_vpc_tenancy", set=_VPC, on=("instanceTenancy",)),
        Run(_ipv6, on=("assignGeneratedIpv6CidrBlock",)),
    ),
    delete=(Call("delete_vpc", set=_VPC),),
    tags=ec2_tags("vpc"),
    fields={
        "assignGeneratedIpv6CidrBlock": Field("AmazonProvidedIpv6CidrBlock", write_only=True, default=False),
        "enableDnsSupport": Field(default=True),
        "instanceTenancy": Field(default="default"),
        "ipv6CidrBlock": Field(read="Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"),
        "ipv6AssociationId": Field(read="Ipv6CidrBlockAssociationSet[0].AssociationId"),
        "defaultRouteTableId": Field(read="MainRouteTableId"),
    },
    force_new=("cidrBlock",),
    force_new_if={"instanceTenancy": _tenancy_replaces},
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:vpc/{id}"},
    unsupported={
        "ipv4IpamPoolId": "IPAM pools",
        "ipv4NetmaskLength": "IPAM pools",
        "ipv6IpamPoolId": "IPAM pools",
        "ipv6NetmaskLength": "IPAM pools",
        "ipv6CidrBlock": "IPAM pools",
        "ipv6CidrBlockNetworkBorderGroup": "network border groups",
    },
)

_SUBNET = {"SubnetId": "{id}"}
# ModifySubnetAttribute takes one attribute a call, too, and CreateSubnet takes none of them.
_SUBNET_MEMBERS = {
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    "enableDns64": "EnableDns64",
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch": "EnableResourceNameDnsAAAARecordOnLaunch",
    "privateDnsHostnameTypeOnLaunch": "PrivateDnsHostnameTypeOnLaunch",
}
_SUBNET_STEPS: tuple[Step, ...] = tuple(
    Call("modify_subnet_attribute", set=_SUBNET, on=(name,), names={name: member})
    for name, member in _SUBNET_MEMBERS.items()
)


def _move_ipv6(context: Context) -> None:
    if association := context.state.get("ipv6CidrBlockAssociationId"):
        context.call("disassociate_subnet_cidr_block", AssociationId=association)
    if block := context.inputs.get("ipv6CidrBlock"):
        context.call("associate_subnet_cidr_block", SubnetId=context.id, Ipv6CidrBlock=block)


def _assigns_ipv6(before: Properties, _now: Properties) -> bool:
    return bool(before.get("ipv6CidrBlock") and before.get("assignIpv6AddressOnCreation"))


SUBNET = ResourceType(
    pulumi_type="aws:ec2/subnet:Subnet",
    service="ec2",
    docs=f"{_REGISTRY}/subnet",
    id=Id(response="Subnet.SubnetId"),
    create=(Call("create_subnet", item="Subnet"), *_SUBNET_STEPS),
    read=Read("describe_subnets", set={"SubnetIds": "{id}"}, item="Subnets[0]"),
    # Addresses are assigned from the block: it comes before them.
    update=(Run(_move_ipv6, on=("ipv6CidrBlock",)), *_SUBNET_STEPS),
    delete=(Call("delete_subnet", set=_SUBNET),),
    tags=ec2_tags("subnet"),
    fields={
        "mapPublicIpOnLaunch": Field(default=False),
        "assignIpv6AddressOnCreation": Field(default=False),
        "enableDns64": Field(default=False),
        "enableResourceNameDnsARecordOnLaunch": Field(
            read="PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord", default=False
        ),
        "enableResourceNameDnsAaaaRecordOnLaunch": Field(
            read="PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord", default=False
        ),
        "privateDnsHostnameTypeOnLaunch": Field(read="PrivateDnsNameOptionsOnLaunch.HostnameType"),
        "ipv6CidrBlock": Field(read="Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"),
        "ipv6CidrBlockAssociationId": Field(read="Ipv6CidrBlockAssociationSet[0].AssociationId"),
        "ipv6Native": Field(default=False),
    },
    force_new=(
        "vpcId",
        "cidrBlock",
        "availabilityZone",
        "availabilityZoneId",
        "ipv6Native",
    ),
    force_new_if={"ipv6CidrBlock": _assigns_ipv6},
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:subnet/{id}"},
    unsupported={
        "customerOwnedIpv4Pool": "Outposts",
        "enableLniAtDeviceIndex": "Outposts",
        "mapCustomerOwnedIpOnLaunch": "Outposts",
        "outpostArn": "Outposts",
        "ipv4IpamPoolId": "IPAM pools",
        "ipv4NetmaskLength": "IPAM pools",
        "ipv6IpamPoolId": "IPAM pools",
        "ipv6NetmaskLength": "IPAM pools",
    },
    check=(conflicts("availabilityZone", "availabilityZoneId"),),
)

TYPES = (VPC, SUBNET)
