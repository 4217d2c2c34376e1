"""Foundation: network, keys, images and the topic that hears of trouble. Everything else stands on it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.network.endpoints import VpcEndpoints, VpcEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.vpc import Vpc, VpcArgs
from components.network.workloads import WorkloadSecurityGroup, WorkloadSecurityGroupArgs
from components.registry.image_repository import ImageRepository, ImageRepositoryArgs
from components.security.data_key import DataKey, DataKeyArgs
from components.security.key_policy import KeyUse
from stacks.production_args import ProductionArgs


@dataclass(frozen=True, kw_only=True)
class Keys:
    """One key per data class: who may read one class learns nothing of another."""

    customer: DataKey
    commerce: DataKey
    operations: DataKey
    secrets: DataKey


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """What every later step builds on."""

    keys: Keys
    vpc: Vpc
    endpoints: VpcEndpoints
    flow_logs: FlowLogs
    workloads: WorkloadSecurityGroup
    repositories: Mapping[str, ImageRepository]


def foundation(args: ProductionArgs, opts: pulumi.ResourceOptions) -> Foundation:
    """Lay the foundation.

    Args:
        args: Sizes, zones and protection.
        opts: Carries the AWS provider.
    """
    keys = _keys(args, opts)
    vpc = Vpc(
        "core",
        VpcArgs(
            cidr=args.network.cidr,
            zones=args.network.zones,
            nat_per_zone=args.network.nat_per_zone,
            subnet_prefixes=args.network.subnet_prefixes,
        ),
        opts,
    )
    return Foundation(
        keys=keys,
        vpc=vpc,
        endpoints=VpcEndpoints(
            "core-endpoints",
            VpcEndpointsArgs(
                vpc_id=vpc.vpc_id,
                vpc_cidr=vpc.cidr_block,
                subnet_ids=vpc.private_subnet_ids,
                route_table_ids=vpc.private_route_table_ids,
                account_id=args.account_id,
                region=args.region,
                interface_services=args.network.interface_endpoints,
            ),
            opts,
        ),
        flow_logs=FlowLogs(
            "core-flow-logs",
            FlowLogsArgs(
                vpc_id=vpc.vpc_id,
                logs_key_arn=keys.operations.key_arn,
                account_id=args.account_id,
                region=args.region,
                retention_days=args.log_retention_days,
            ),
            opts,
        ),
        workloads=WorkloadSecurityGroup(
            "workloads", WorkloadSecurityGroupArgs(vpc_id=vpc.vpc_id, vpc_cidr=vpc.cidr_block), opts
        ),
        repositories=_repositories(args, keys.operations, opts),
    )


def _keys(args: ProductionArgs, opts: pulumi.ResourceOptions) -> Keys:
    def key(name: str, description: str, *uses: KeyUse) -> DataKey:
        return DataKey(
            name,
            DataKeyArgs(
                description=description,
                account_id=args.account_id,
                region=args.region,
                uses=uses,
                protect=args.deletion_protection,
            ),
            opts,
        )

    return Keys(
        customer=key("customer", "Personal data: accounts, profiles, sessions"),
        commerce=key("commerce", "Products, stock and orders"),
        operations=key("operations", "Logs, queues, topics and images", *KeyUse),
        secrets=key("secrets", "Passwords and other secrets"),
    )


def _repositories(
    args: ProductionArgs, key: DataKey, opts: pulumi.ResourceOptions
) -> dict[str, ImageRepository]:
    return {
        image: ImageRepository(
            f"image-{image}",
            ImageRepositoryArgs(
                repository_name=f"{args.project}/{image}",
                key_arn=key.key_arn,
                protect=args.deletion_protection,
                force_delete=not args.deletion_protection,
                keep_releases=args.registry.keep_releases,
                untagged_days=args.registry.untagged_days,
                build_days=args.registry.build_days,
            ),
            opts,
        )
        for image in args.registry.images
    }
