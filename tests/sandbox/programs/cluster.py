"""The small fixed cluster of the tests: the product's own foundation and platform in two zones, no data.

`shop` in the stack file changes it: `main` and `spot` are fewest and most nodes of the groups, `applications`
have a namespace each, and each namespace holds so many `pods`.
"""

import pulumi
import pulumi_aws as aws

from components.cluster.quota import Quota
from components.network.cidr import Tier
from stacks.cluster_plan import ClusterPlan, NodeGroupPlan, PrincipalPlan
from stacks.foundation import foundation
from stacks.platform import platform
from stacks.production_args import DataPlan, NetworkPlan, PostgresPlan, ProductionArgs, RegistryPlan

REGION = "us-east-1"
shop = pulumi.Config().get_object("shop") or {}
tags = {"Project": pulumi.get_project(), "Environment": pulumi.get_stack()}
provider = aws.Provider("aws", region=REGION, default_tags=aws.ProviderDefaultTagsArgs(tags=tags))
opts = pulumi.ResourceOptions(provider=provider)
deployer = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider))


def nodes(group: str, fewest: int, *instance_types: str) -> NodeGroupPlan:
    least, most = shop.get(group, [fewest, 6])
    return NodeGroupPlan(instance_types=instance_types, min_size=least, max_size=most, volume_gib=20)


args = ProductionArgs(
    project=pulumi.get_project(),
    account_id=deployer.account_id,
    deployer=deployer.arn,
    region=REGION,
    network=NetworkPlan(
        cidr="10.20.0.0/16",
        zones=[f"{REGION}a", f"{REGION}b"],
        nat_per_zone=False,
        subnet_prefixes={Tier.PRIVATE: 20, Tier.PUBLIC: 24, Tier.DATA: 24},
        interface_endpoints=[],
    ),
    cluster=ClusterPlan(
        version="1.35",
        public_access_cidrs=[],
        main=nodes("main", 2, "t3.medium"),
        spot=nodes("spot", 1, "m6i.large", "m6a.large", "m5.large", "m5a.large", "m7i.large", "m7a.large"),
        principals=PrincipalPlan(platform=[], developer=[], auditor=[], ci=[]),
        quotas={
            application: Quota(cpu=2, memory_gib=4, pods=shop.get("pods", 10), storage_gib=20)
            for application in shop.get("applications", ["order"])
        },
    ),
    # Not made here: the cluster needs none of it.
    data=DataPlan(
        backup_retention_days=1,
        postgres=PostgresPlan(
            instance_class="", engine_version="", allocated_storage=0, max_allocated_storage=0
        ),
        document_db_class="",
        document_db_version="",
        valkey_node_type="",
        valkey_version="",
        rabbitmq_type="",
        rabbitmq_version="",
    ),
    registry=RegistryPlan(images=[], keep_releases=1, untagged_days=1, build_days=1),
    tags=tags,
    log_retention_days=30,
    alarm_emails=[],
    deletion_protection=False,
)
made = platform(foundation(args, opts), args, opts)
pulumi.export("clusterName", made.cluster.cluster_name)
pulumi.export("clusterArn", made.cluster.cluster_arn)
pulumi.export("kubeconfigs", dict(made.kubeconfigs))
