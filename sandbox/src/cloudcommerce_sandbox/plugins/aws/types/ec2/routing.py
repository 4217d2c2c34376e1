"""Route tables, routes and their associations."""

from __future__ import annotations

import zlib
from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import Convert
from cloudcommerce_sandbox.plugins.aws.declaration import EVERYTHING, Call, Field, Id, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_TARGETS = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
# A block of a route table calls two of the destinations by shorter names.
_INLINE = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    **_DESTINATIONS,
    **_TARGETS,
}


def _destination(properties: Properties) -> str:
    return next((str(properties[name]) for name in _DESTINATIONS if properties.get(name)), "")


def _parse_route(text: str) -> Properties:
    table, _, destination = text.partition("_")
    if destination.startswith("pl-"):
        kind = "destinationPrefixListId"
    else:
        kind = "destinationIpv6CidrBlock" if ":" in destination else "destinationCidrBlock"
    return {"routeTableId": table, kind: destination}


def _route_id(properties: Properties) -> str:
    """The official provider's id: the table and the CRC-32 of the destination."""
    return f"r-{properties['routeTableId']}{zlib.crc32(_destination(properties).encode())}"


def _read_route(context: Context) -> dict[str, Any] | None:
    wanted = context.state
    routes = context.find(
        "describe_route_tables", "RouteTables[0].Routes", RouteTableIds=[wanted["routeTableId"]]
    )
    for route in routes or ():
        if any(
            route.get(member) == wanted.get(name)
            for name, member in _DESTINATIONS.items()
            if wanted.get(name)
        ):
            context.id = _route_id(wanted)  # an import is given another
            return {**route, "RouteTableId": wanted["routeTableId"]}
    return None


_TARGET_NAMES = tuple(_TARGETS)

ROUTE = ResourceType(
    pulumi_type="aws:ec2/route:Route",
    service="ec2",
    docs=f"{_REGISTRY}/route",
    id=Id(
        function=lambda context: _route_id(context.inputs),
        parse=_parse_route,
    ),
    create=(Call("create_route", item="@", retry=("InvalidNatGatewayID.NotFound",)),),
    read=Read(function=_read_route),
    update=(Call("replace_route", on=_TARGET_NAMES, full=True),),
    delete=(Call("delete_route", props=tuple(_DESTINATIONS)),),
    fields={
        **{name: Field(member, default=None) for name, member in {**_TARGETS, **_DESTINATIONS}.items()},
        # AWS reports a network interface behind some other targets, and endpoints as gateways.
        "networkInterfaceId": Field("NetworkInterfaceId"),
        "gatewayId": Field(
            "GatewayId", read="[GatewayId][?@ && !starts_with(@, 'vpce-')] | [0]", default=None
        ),
        "vpcEndpointId": Field(
            "VpcEndpointId", read="[GatewayId][?@ && starts_with(@, 'vpce-')] | [0]", default=None
        ),
    },
    force_new=("routeTableId", *_DESTINATIONS),
    unsupported={"odbNetworkArn": "Oracle Database networks"},
    check=(exactly_one(*_DESTINATIONS), exactly_one(*_TARGET_NAMES)),
)


def _members(block: dict[str, Any]) -> dict[str, Any]:
    return {member: block[name] for name, member in _INLINE.items() if block.get(name)}


def _by_destination(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for block in blocks:
        members = _members(block)
        found[next(str(members[name]) for name in _DESTINATIONS.values() if name in members)] = members
    return found


def _put_routes(context: Context) -> None:
    wanted = _by_destination(context.inputs.get("routes") or [])
    before = _by_destination(context.old_inputs.get("routes") or [])
    for destination, members in before.items():
        if destination not in wanted:
            keys = {name: members[name] for name in _DESTINATIONS.values() if name in members}
            context.call("delete_route", RouteTableId=context.id, **keys)
    for destination, members in wanted.items():
        if before.get(destination) != members:
            verb = "replace_route" if destination in before else "create_route"
            context.call(verb, RouteTableId=context.id, **members)


def _inline_routes(routes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the routes a program can have given: not the local one, not those that gateway endpoints add."""
    names = {member: name for name, member in reversed(_INLINE.items())}
    names |= {"DestinationCidrBlock": "cidrBlock", "DestinationIpv6CidrBlock": "ipv6CidrBlock"}
    return [
        {names[member]: value for member, value in route.items() if member in names and value}
        for route in routes
        if route.get("Origin") != "CreateRouteTable"
        and not str(route.get("GatewayId", "")).startswith("vpce-")
    ]


def _same_routes(left: Any, right: Any) -> bool:
    return _by_destination(left or []) == _by_destination(right or [])


_ROUTES = Run(_put_routes, on=("routes",))

ROUTE_TABLE = ResourceType(
    pulumi_type="aws:ec2/routeTable:RouteTable",
    service="ec2",
    docs=f"{_REGISTRY}/route_table",
    id=Id(response="RouteTable.RouteTableId"),
    create=(Call("create_route_table", item="RouteTable"), _ROUTES),
    read=Read("describe_route_tables", set={"RouteTableIds": "{id}"}, item="RouteTables[0]"),
    update=(_ROUTES,),
    delete=(Call("delete_route_table", set={"RouteTableId": "{id}"}),),
    tags=ec2_tags("route-table"),
    fields={"routes": Field(read="Routes", convert=Convert(read=_inline_routes, equal=_same_routes))},
    force_new=("vpcId",),
    kept=("routes",),
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:route-table/{id}"},
    unsupported={
        "propagatingVgws": "virtual private gateways",
        "routes.odbNetworkArn": "Oracle Database networks",
    },
)

_ASSOCIATION = "RouteTables[].Associations[] | [?RouteTableAssociationId=='{id}'] | [0]"


def _parse_association(text: str) -> Properties:
    target, _, table = text.partition("/")
    return {"gatewayId" if target.startswith(("igw-", "vgw-")) else "subnetId": target, "routeTableId": table}


def _read_association(context: Context) -> dict[str, Any] | None:
    """Find the association, on import by what it joins: `<subnet or gateway id>/<route table id>`."""
    joined = _parse_association(context.id) if "/" in context.id else {}
    filters: list[dict[str, Any]] = (
        [{"Name": "route-table-id", "Values": [joined["routeTableId"]]}]
        if joined
        else [{"Name": "association.route-table-association-id", "Values": [context.id]}]
    )
    tables = context.find("describe_route_tables", "RouteTables[].Associations[]", Filters=filters)
    for found in tables or ():
        targets = (found.get("SubnetId"), found.get("GatewayId"))
        if context.id in (
            found["RouteTableAssociationId"],
            *(f"{t}/{found['RouteTableId']}" for t in targets),
        ):
            context.id = str(found["RouteTableAssociationId"])
            return dict(found)
    return None


ROUTE_TABLE_ASSOCIATION = ResourceType(
    pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    docs=f"{_REGISTRY}/route_table_association",
    id=Id(response="AssociationId"),
    create=(Call("associate_route_table", item="@"),),
    read=Read(function=_read_association),
    fields={"subnetId": Field(default=None), "gatewayId": Field(default=None)},
    delete=(Call("disassociate_route_table", set={"AssociationId": "{id}"}),),
    # Terraform moves it to another table in place, which gives it another id. An update in Pulumi can't.
    force_new=EVERYTHING,
    delete_before_replace=True,
    check=(exactly_one("subnetId", "gatewayId"),),
)


def _become_main(context: Context) -> dict[str, Any]:
    main = context.find(
        "describe_route_tables",
        "RouteTables[].Associations[] | [?Main] | [0]",
        Filters=[
            {"Name": "vpc-id", "Values": [context.inputs["vpcId"]]},
            {"Name": "association.main", "Values": ["true"]},
        ],
    )
    answer = context.call(
        "replace_route_table_association",
        AssociationId=main["RouteTableAssociationId"],
        RouteTableId=context.inputs["routeTableId"],
    )
    return {**answer, "OriginalRouteTableId": main["RouteTableId"]}


MAIN_ROUTE_TABLE_ASSOCIATION = ResourceType(
    pulumi_type="aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
    service="ec2",
    docs=f"{_REGISTRY}/main_route_table_association",
    id=Id(response="NewAssociationId"),
    create=(Run(_become_main, on=("vpcId", "routeTableId"), item="@"),),
    read=Read(
        "describe_route_tables",
        set={"Filters": [{"Name": "association.route-table-association-id", "Values": ["{id}"]}]},
        item=_ASSOCIATION,
    ),
    # The VPC gets back the main route table it had before.
    delete=(
        Call(
            "replace_route_table_association",
            set={"AssociationId": "{id}", "RouteTableId": "{originalRouteTableId}"},
        ),
    ),
    fields={"originalRouteTableId": Field(read="OriginalRouteTableId")},
    # As above: in place in Terraform, with another id.
    force_new=EVERYTHING,
    delete_before_replace=True,
)

TYPES = (ROUTE, ROUTE_TABLE, ROUTE_TABLE_ASSOCIATION, MAIN_ROUTE_TABLE_ASSOCIATION)
