"""VPC endpoints and flow logs."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import IGNORE_CASE, POLICY, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Fetch,
    Field,
    Id,
    Read,
    ResourceType,
    Run,
    Wait,
)
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_SETS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


def _change_sets(context: Context) -> None:
    """Tell ModifyVpcEndpoint what to add and what to remove."""
    request: dict[str, Any] = {}
    for name, member in _SETS.items():
        before, wanted = (set(bag.get(name) or ()) for bag in (context.old_inputs, context.inputs))
        if name in context.changed and wanted - before:
            request[f"Add{member}"] = sorted(wanted - before)
        if name in context.changed and before - wanted:
            request[f"Remove{member}"] = sorted(before - wanted)
    if request:
        context.call("modify_vpc_endpoint", VpcEndpointId=context.id, **request)


def _is_no_interface(before: Properties, now: Properties) -> bool:
    return str({**before, **now}.get("vpcEndpointType", "Gateway")) != "Interface"


VPC_ENDPOINT = ResourceType(
    pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    docs=f"{_REGISTRY}/vpc_endpoint",
    id=Id(response="VpcEndpoint.VpcEndpointId"),
    create=(
        Call(
            "create_vpc_endpoint",
            set={"VpcEndpointType": lambda context: context.inputs.get("vpcEndpointType", "Gateway")},
            item="VpcEndpoint",
        ),
    ),
    read=Read(
        "describe_vpc_endpoints",
        set={"VpcEndpointIds": "{id}"},
        item="VpcEndpoints[0]",
        gone=("State", "deleted"),
        also=(
            Fetch(
                "describe_prefix_lists",
                set={"Filters": [{"Name": "prefix-list-name", "Values": ["{serviceName}"]}]},
                item="PrefixLists[0].{PrefixListId: PrefixListId, CidrBlocks: Cidrs}",
                always=True,
            ),
        ),
    ),
    update=(
        Run(_change_sets, on=tuple(_SETS)),
        Call(
            "modify_vpc_endpoint",
            set={"VpcEndpointId": "{id}"},
            on=("policy", "privateDnsEnabled", "ipAddressType", "dnsOptions"),
        ),
    ),
    delete=(Call("delete_vpc_endpoints", set={"VpcEndpointIds": "{id}"}),),
    tags=ec2_tags("vpc-endpoint"),
    fields={
        "policy": Field("PolicyDocument", convert=POLICY),
        "serviceName": Field(default=None),
        "vpcEndpointType": Field(default="Gateway"),
        "securityGroupIds": Field(read="Groups[].GroupId"),
        "ipAddressType": Field(convert=IGNORE_CASE),
    },
    force_new=(
        "vpcId",
        "vpcEndpointType",
        "serviceName",
        "serviceRegion",
        "dnsOptions.privateDnsPreference",
        "dnsOptions.privateDnsSpecifiedDomains",
    ),
    force_new_if={"privateDnsEnabled": _is_no_interface},
    kept=("dnsOptions", "routeTableIds", "securityGroupIds", "subnetIds"),
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}"},
    unsupported={
        "autoAccept": "acceptance of endpoints of other accounts",
        "resourceConfigurationArn": "VPC Lattice",
        "serviceNetworkArn": "VPC Lattice",
        "subnetConfigurations": "fixed addresses of endpoint interfaces",
    },
    created=Wait(
        "State",
        until=("available", "pendingAcceptance"),
        failed=("failed", "rejected", "deleted"),
        timeout=600,
    ),
    updated=Wait(
        "State", until=("available", "pendingAcceptance"), failed=("failed", "rejected"), timeout=600
    ),
    deleted=Wait("State", until=("deleted",), failed=("failed",), timeout=600),
)

# Property that names what is watched: the API's ResourceType.
_WATCHED = {
    "vpcId": "VPC",
    "subnetId": "Subnet",
    "eniId": "NetworkInterface",
    "transitGatewayId": "TransitGateway",
    "transitGatewayAttachmentId": "TransitGatewayAttachment",
}


def _watched(context: Context) -> str:
    return next(name for name in _WATCHED if context.inputs.get(name))


def _of_kind(prefix: str) -> Field:
    """Read the watched resource's id into the property of its kind only."""
    return Field("ResourceIds", read=f"[ResourceId][?@ && starts_with(@, '{prefix}-')] | [0]", default=None)


FLOW_LOG = ResourceType(
    pulumi_type="aws:ec2/flowLog:FlowLog",
    service="ec2",
    docs=f"{_REGISTRY}/flow_log",
    id=Id(response="FlowLogIds[0]"),
    create=(
        Call(
            "create_flow_logs",
            set={
                "ResourceIds": lambda context: [context.inputs[_watched(context)]],
                "ResourceType": lambda context: _WATCHED[_watched(context)],
            },
            retry=("InvalidParameter: Unable to assume given IAM role",),
        ),
    ),
    read=Read("describe_flow_logs", set={"FlowLogIds": "{id}"}, item="FlowLogs[0]"),
    delete=(Call("delete_flow_logs", set={"FlowLogIds": "{id}"}),),
    tags=ec2_tags("vpc-flow-log"),
    fields={
        "vpcId": _of_kind("vpc"),
        "subnetId": _of_kind("subnet"),
        "eniId": _of_kind("eni"),
        "transitGatewayId": Field(
            "ResourceIds",
            read="[ResourceId][?@ && starts_with(@, 'tgw-') && !starts_with(@, 'tgw-attach-')] | [0]",
            default=None,
        ),
        "transitGatewayAttachmentId": _of_kind("tgw-attach"),
        "deliverCrossAccountRole": Field(default=None),
        "iamRoleArn": Field("DeliverLogsPermissionArn", default=None),
        "trafficType": Field(default=None),
        "logDestination": Field(convert=Convert(send=lambda arn: arn.removesuffix(":*"))),
        "logDestinationType": Field(default="cloud-watch-logs"),
        "maxAggregationInterval": Field(default=600),
    },
    force_new=(
        *_WATCHED,
        "deliverCrossAccountRole",
        "destinationOptions",
        "iamRoleArn",
        "logDestination",
        "logDestinationType",
        "logFormat",
        "maxAggregationInterval",
        "trafficType",
    ),
    kept=("destinationOptions",),
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{id}"},
    unsupported={
        "regionalNatGatewayId": "regional NAT gateways",
        "tagFieldSpecifications": "tag fields in records",
    },
    check=(exactly_one(*_WATCHED),),
)

TYPES = (VPC_ENDPOINT, FLOW_LOG)
