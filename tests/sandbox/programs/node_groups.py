"""Node groups of a cluster that stands already; the stack file's `shop` says which, and what they are."""

import pulumi
import pulumi_aws as aws

shop = pulumi.Config().require_object("shop")
provider = aws.Provider("aws", region="us-east-1")

for name, group in shop["groups"].items():
    least, most = group["least"], group["most"]
    aws.eks.NodeGroup(
        name,
        cluster_name=shop["cluster"],
        node_group_name=name,
        node_role_arn=shop["role"],
        subnet_ids=group["subnets"],
        instance_types=["t3.medium"],
        scaling_config={
            "min_size": group["least"],
            "max_size": group["most"],
            "desired_size": group["least"],
        },
        labels={"pool": "extra", **group["labels"]},
        taints=[
            aws.eks.NodeGroupTaintArgs(key=key, value="yes", effect="NO_SCHEDULE") for key in group["taints"]
        ],
        opts=pulumi.ResourceOptions(provider=provider),
    )
