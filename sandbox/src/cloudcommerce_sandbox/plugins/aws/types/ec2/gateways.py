"""Internet gateways, elastic addresses and NAT gateways."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Read, ResourceType, Run, Wait
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"


def _attach(context: Context) -> None:
    _detach(context)
    if vpc := context.inputs.get("vpcId"):
        context.call("attach_internet_gateway", InternetGatewayId=context.id, VpcId=vpc)


def _detach(context: Context) -> None:
    """Detach from where it is: on delete from its VPC, on update from the VPC it had before."""
    before = context.old_inputs or (context.inputs if not context.changed else {})
    if vpc := before.get("vpcId"):
        context.call("detach_internet_gateway", InternetGatewayId=context.id, VpcId=vpc)


INTERNET_GATEWAY = ResourceType(
    pulumi_type="aws:ec2/internetGateway:InternetGateway",
    service="ec2",
    docs=f"{_REGISTRY}/internet_gateway",
    id=Id(response="InternetGateway.InternetGatewayId"),
    create=(Call("create_internet_gateway", item="InternetGateway"), Run(_attach, on=("vpcId",))),
    read=Read("describe_internet_gateways", set={"InternetGatewayIds": "{id}"}, item="InternetGateways[0]"),
    update=(Run(_attach, on=("vpcId",)),),
    delete=(Run(_detach), Call("delete_internet_gateway", set={"InternetGatewayId": "{id}"})),
    tags=ec2_tags("internet-gateway"),
    fields={"vpcId": Field(read="Attachments[0].VpcId", absent=None)},
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}"},
)

_ASSOCIATION = ("instance", "networkInterface", "associateWithPrivateIp")
_ASSOCIATE = Call(
    "associate_address",
    set={"AllocationId": "{id}", "AllowReassociation": True},
    on=_ASSOCIATION,
    full=True,
    names={
        "instance": "InstanceId",
        "networkInterface": "NetworkInterfaceId",
        "associateWithPrivateIp": "PrivateIpAddress",
    },
    when=lambda context: bool(context.inputs.get("instance") or context.inputs.get("networkInterface")),
)


def _disassociate(context: Context) -> None:
    association = context.find("describe_addresses", "Addresses[0].AssociationId", AllocationIds=[context.id])
    if association:
        context.call("disassociate_address", AssociationId=association)


EIP = ResourceType(
    pulumi_type="aws:ec2/eip:Eip",
    service="ec2",
    docs=f"{_REGISTRY}/eip",
    id=Id(response="AllocationId"),
    create=(Call("allocate_address", set={"Domain": "vpc"}, item="@"), _ASSOCIATE),
    read=Read("describe_addresses", set={"AllocationIds": "{id}"}, item="Addresses[0]"),
    update=(
        Run(
            _disassociate,
            on=_ASSOCIATION,
            when=lambda context: (
                not (context.inputs.get("instance") or context.inputs.get("networkInterface"))
            ),
        ),
        _ASSOCIATE,
    ),
    delete=(
        Run(
            _disassociate,
            when=lambda context: bool(
                context.inputs.get("instance") or context.inputs.get("networkInterface")
            ),
        ),
        Call("release_address", set={"AllocationId": "{id}"}),
    ),
    tags=ec2_tags("elastic-ip"),
    fields={
        "instance": Field(read="InstanceId"),
        "networkInterface": Field(read="NetworkInterfaceId"),
        "associateWithPrivateIp": Field(write_only=True, default=None),
        "privateIp": Field(read="PrivateIpAddress"),
    },
    force_new=("address", "domain", "networkBorderGroup", "publicIpv4Pool"),
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}"},
    no_output=("carrierIp", "customerOwnedIp", "ptrRecord", "publicDns", "privateDns"),
    unsupported={"customerOwnedIpv4Pool": "Outposts", "ipamPoolId": "IPAM pools"},
    delete_retry=("InvalidIPAddress.InUse", "AuthFailure"),
)

NAT_GATEWAY = ResourceType(
    pulumi_type="aws:ec2/natGateway:NatGateway",
    service="ec2",
    docs=f"{_REGISTRY}/nat_gateway",
    id=Id(response="NatGateway.NatGatewayId"),
    create=(Call("create_nat_gateway", item="NatGateway"),),
    read=Read(
        "describe_nat_gateways",
        set={"NatGatewayIds": "{id}"},
        item="NatGateways[0]",
        gone=("State", "deleted", "deleting"),
    ),
    delete=(Call("delete_nat_gateway", set={"NatGatewayId": "{id}"}),),
    tags=ec2_tags("natgateway"),
    fields={
        "allocationId": Field(read="NatGatewayAddresses[0].AllocationId", default=None),
        "associationId": Field(read="NatGatewayAddresses[0].AssociationId"),
        "networkInterfaceId": Field(read="NatGatewayAddresses[0].NetworkInterfaceId"),
        "privateIp": Field("PrivateIpAddress", read="NatGatewayAddresses[0].PrivateIp"),
        "publicIp": Field(read="NatGatewayAddresses[0].PublicIp"),
        "connectivityType": Field(default="public"),
        "subnetId": Field(default=None),
    },
    force_new=("allocationId", "connectivityType", "privateIp", "subnetId"),
    no_output=(
        "autoProvisionZones",
        "autoScalingIps",
        "regionalNatGatewayAddresses",
        "regionalNatGatewayAutoMode",
        "routeTableId",
    ),
    unsupported={
        "availabilityMode": "regional NAT gateways",
        "availabilityZoneAddresses": "regional NAT gateways",
        "vpcId": "regional NAT gateways",
        "secondaryAllocationIds": "secondary addresses",
        "secondaryPrivateIpAddressCount": "secondary addresses",
        "secondaryPrivateIpAddresses": "secondary addresses",
    },
    created=Wait("State", until=("available",), failed=("failed", "deleted"), timeout=600),
    deleted=Wait("State", until=("deleted",), failed=("failed",), timeout=1800),
)

TYPES = (INTERNET_GATEWAY, EIP, NAT_GATEWAY)
