"""The VPC: public, private and isolated data subnets over the given zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.network.cidr import Tier, ZoneSubnets, plan_subnets


@dataclass(frozen=True, kw_only=True)
class VpcArgs:
    """What a VPC is made of.

    Attributes:
        cidr: Address range; known before anything is planned, because the subnets are computed from it.
        zones: Availability zones by name.
        nat_per_zone: One NAT gateway a zone (a zone's failure stays its own), or one for all (cheaper).
        subnet_prefixes: Prefix length per tier; see `plan_subnets` for what is taken unless given.
    """

    cidr: str
    zones: Sequence[str]
    nat_per_zone: bool = True
    subnet_prefixes: Mapping[Tier, int] | None = None


class Vpc(pulumi.ComponentResource):
    """Three tiers of subnets in each zone.

    Public subnets hold load balancers and NAT gateways. Private subnets hold the workloads and reach out
    through NAT. Data subnets have no route out of the VPC at all. Every subnet has a route table of its own
    tier, so that the VPC's main one serves nothing, and the default security group allows nothing.

    Attributes:
        vpc_id: Identifier of the VPC.
        vpc_arn: ARN of the VPC.
        cidr_block: Its address range.
        public_subnet_ids: Public subnets, one a zone, sorted by zone, as are all lists here.
        private_subnet_ids: Private subnets.
        data_subnet_ids: Isolated subnets.
        private_route_table_ids: Route tables of the private subnets.
        data_route_table_id: Route table of all data subnets; it holds the VPC's own route only.
        nat_public_ips: Addresses under which the workloads appear on the internet.
    """

    vpc_id: pulumi.Output[str]
    vpc_arn: pulumi.Output[str]
    cidr_block: pulumi.Output[str]
    public_subnet_ids: Sequence[pulumi.Output[str]]
    private_subnet_ids: Sequence[pulumi.Output[str]]
    data_subnet_ids: Sequence[pulumi.Output[str]]
    private_route_table_ids: Sequence[pulumi.Output[str]]
    data_route_table_id: pulumi.Output[str]
    nat_public_ips: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: VpcArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:network:Vpc", name, None, opts)
        self._name = name
        zones = plan_subnets(args.cidr, args.zones, args.subnet_prefixes)
        self._vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self._child(),
        )
        self._lock_default_group()
        public = self._subnets(Tier.PUBLIC, zones, {"kubernetes.io/role/elb": "1"})
        private = self._subnets(Tier.PRIVATE, zones, {"kubernetes.io/role/internal-elb": "1"})
        data = self._subnets(Tier.DATA, zones, {})

        gateway = self._route_public(public)
        addresses, nats = self._nat_gateways(public, gateway, args.nat_per_zone)
        private_tables = self._route_private(private, nats)
        data_table = self._route_table(f"{name}-data", Tier.DATA, data)

        self.vpc_id = self._vpc.id
        self.vpc_arn = self._vpc.arn
        self.cidr_block = self._vpc.cidr_block
        self.public_subnet_ids = [subnet.id for subnet in public.values()]
        self.private_subnet_ids = [subnet.id for subnet in private.values()]
        self.data_subnet_ids = [subnet.id for subnet in data.values()]
        self.private_route_table_ids = [table.id for table in private_tables.values()]
        self.data_route_table_id = data_table.id
        self.nat_public_ips = [address.public_ip for address in addresses.values()]
        self.register_outputs({output: getattr(self, output) for output in Vpc.__annotations__})

    def _child(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))

    def _lock_default_group(self) -> None:
        """Empty the group that AWS makes with every VPC, as CIS AWS 5.4 asks."""
        name = f"{self._name}-default-sg"
        aws.ec2.DefaultSecurityGroup(
            name, vpc_id=self._vpc.id, ingress=[], egress=[], tags={"Name": name}, opts=self._child()
        )

    def _subnets(
        self, tier: Tier, zones: Sequence[ZoneSubnets], tags: Mapping[str, str]
    ) -> dict[str, aws.ec2.Subnet]:
        subnets = {}
        for zone in zones:
            name = f"{self._name}-{tier}-{zone.letter}"
            subnets[zone.letter] = aws.ec2.Subnet(
                name,
                vpc_id=self._vpc.id,
                availability_zone=zone.zone,
                cidr_block=str(getattr(zone, tier)),
                # Load balancers and NAT gateways bring their own addresses; nothing else gets a public one.
                map_public_ip_on_launch=False,
                tags={"Name": name, "Tier": tier.value, **tags},
                opts=self._child(),
            )
        return subnets

    def _route_public(self, subnets: Mapping[str, aws.ec2.Subnet]) -> aws.ec2.InternetGateway:
        name = f"{self._name}-internet"
        gateway = aws.ec2.InternetGateway(name, vpc_id=self._vpc.id, tags={"Name": name}, opts=self._child())
        table = self._route_table(f"{self._name}-public", Tier.PUBLIC, subnets)
        aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child(),
        )
        return gateway

    def _nat_gateways(
        self,
        public: Mapping[str, aws.ec2.Subnet],
        internet: aws.ec2.InternetGateway,
        nat_per_zone: bool,
    ) -> tuple[dict[str, aws.ec2.Eip], dict[str, aws.ec2.NatGateway]]:
        addresses, gateways = {}, {}
        for letter in list(public) if nat_per_zone else list(public)[:1]:
            name = f"{self._name}-nat-{letter}"
            addresses[letter] = aws.ec2.Eip(
                name, domain="vpc", tags={"Name": name}, opts=self._child([internet])
            )
            gateways[letter] = aws.ec2.NatGateway(
                name,
                subnet_id=public[letter].id,
                allocation_id=addresses[letter].allocation_id,
                tags={"Name": name},
                # A NAT gateway in a VPC without an internet gateway fails after minutes of trying.
                opts=self._child([internet]),
            )
        return addresses, gateways

    def _route_private(
        self, subnets: Mapping[str, aws.ec2.Subnet], nats: Mapping[str, aws.ec2.NatGateway]
    ) -> dict[str, aws.ec2.RouteTable]:
        shared = next(iter(nats.values()))
        tables = {}
        for letter, subnet in subnets.items():
            name = f"{self._name}-private-{letter}"
            tables[letter] = self._route_table(name, Tier.PRIVATE, {letter: subnet})
            aws.ec2.Route(
                f"{name}-nat",
                route_table_id=tables[letter].id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=nats.get(letter, shared).id,
                opts=self._child(),
            )
        return tables

    def _route_table(
        self, name: str, tier: Tier, subnets: Mapping[str, aws.ec2.Subnet]
    ) -> aws.ec2.RouteTable:
        table = aws.ec2.RouteTable(
            name, vpc_id=self._vpc.id, tags={"Name": name, "Tier": tier.value}, opts=self._child()
        )
        for letter, subnet in subnets.items():
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{tier}-{letter}",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self._child(),
            )
        return table
