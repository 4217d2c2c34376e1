"""VPC endpoints: AWS services reached without leaving the VPC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.network.endpoint_policies import endpoint_policy


@dataclass(frozen=True, kw_only=True)
class VpcEndpointsArgs:
    """Which services are reached privately, from where.

    Attributes:
        vpc_id: The VPC.
        vpc_cidr: Its range; only these addresses may use the interface endpoints.
        subnet_ids: One private subnet a zone; each interface endpoint gets an address in each.
        route_table_ids: Route tables that learn the way to the gateway endpoints.
        account_id: The account whose principals may pass.
        region: The VPC's region.
        gateway_services: `s3` and `dynamodb` have gateway endpoints; they cost nothing.
        interface_services: Services by the endpoint's short name (`ecr.api`); each costs per zone and hour.
    """

    vpc_id: pulumi.Input[str]
    vpc_cidr: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]
    account_id: pulumi.Input[str]
    region: str
    gateway_services: Sequence[str] = ("s3",)
    interface_services: Sequence[str] = ()


class VpcEndpoints(pulumi.ComponentResource):
    """Gateway and interface endpoints that admit the account's own principals only.

    Attributes:
        security_group_id: Group of the interface endpoints (443 from inside the VPC).
        endpoint_ids: Identifier of each endpoint, by service.
    """

    security_group_id: pulumi.Output[str]
    endpoint_ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: VpcEndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:network:VpcEndpoints", name, None, opts)
        self._name = name
        self._args = args
        group = self._security_group()
        gateways = {service: self._gateway(service) for service in args.gateway_services}
        interfaces = {service: self._interface(service, group) for service in args.interface_services}

        self.security_group_id = group.id
        self.endpoint_ids = {service: made.id for service, made in (gateways | interfaces).items()}
        self.register_outputs({output: getattr(self, output) for output in VpcEndpoints.__annotations__})

    def _security_group(self) -> aws.ec2.SecurityGroup:
        name = f"{self._name}-sg"
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=self._args.vpc_id,
            description="Interface endpoints: HTTPS from inside the VPC",
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = f"{self._name}-https"
        aws.vpc.SecurityGroupIngressRule(
            rule,
            security_group_id=group.id,
            description="HTTPS from inside the VPC",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self._args.vpc_cidr,
            tags={"Name": rule},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return group

    def _gateway(self, service: str) -> aws.ec2.VpcEndpoint:
        name = _child_name(self._name, service)
        return aws.ec2.VpcEndpoint(
            name,
            vpc_id=self._args.vpc_id,
            service_name=f"com.amazonaws.{self._args.region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=self._args.route_table_ids,
            policy=self._policy(service),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _interface(self, service: str, group: aws.ec2.SecurityGroup) -> aws.ec2.VpcEndpoint:
        name = _child_name(self._name, service)
        return aws.ec2.VpcEndpoint(
            name,
            vpc_id=self._args.vpc_id,
            service_name=f"com.amazonaws.{self._args.region}.{service}",
            vpc_endpoint_type="Interface",
            subnet_ids=self._args.subnet_ids,
            security_group_ids=[group.id],
            # Every SDK then reaches the endpoint under the service's ordinary name.
            private_dns_enabled=True,
            policy=self._policy(service),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _policy(self, service: str) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self._args.account_id).apply(
            lambda account_id: endpoint_policy(service, account_id, self._args.region)
        )


def _child_name(name: str, service: str) -> str:
    return f"{name}-{service.replace('.', '-')}"
