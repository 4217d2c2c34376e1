"""A managed group of nodes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.cluster.instance_types import instance_type
from components.cluster.node_config import node_config, user_data
from components.cluster.pods_per_node import pods_per_node, reserve

GROUP_LABEL = "cloudcommerce.io/node-group"
"""On every node: the group that it belongs to."""

_ROOT_DEVICE = "/dev/xvda"

CapacityType = Literal["ON_DEMAND", "SPOT"]


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """What the nodes are.

    Attributes:
        cluster_name: The cluster that they join.
        version: Kubernetes version of the nodes: the cluster's, for EKS makes a new group in no other.
        role_arn: Role of the nodes.
        subnet_ids: Private subnets, one in each zone.
        security_group_ids: Groups that the nodes carry: the cluster's, and that of the workloads.
        volume_key_arn: KMS key of the root volumes.
        capacity_type: Kept until returned, or offered until AWS wants it back.
        instance_types: Alike in processors and memory; see `components.cluster.instance_types.alike`.
        min_size: Fewest nodes.
        max_size: Most nodes. How many there are in between is the autoscaler's to say.
        volume_gib: Size of a root volume in GiB.
        tags: For the instances and their volumes, which the provider's default tags do not reach.
        taints: Keys that pods have to tolerate, with the values.
        after: What has to stand before a node starts, such as the network plugin.
    """

    cluster_name: pulumi.Input[str]
    version: str
    role_arn: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_ids: Sequence[pulumi.Input[str]]
    volume_key_arn: pulumi.Input[str]
    capacity_type: CapacityType
    instance_types: Sequence[str]
    min_size: int
    max_size: int
    volume_gib: int
    tags: Mapping[str, str]
    taints: Mapping[str, str] = field(default_factory=dict)
    after: Collection[pulumi.Resource] = ()

    @property
    def max_pods(self) -> int:
        """Pods that a node admits."""
        return pods_per_node(instance_type(name) for name in self.instance_types)


class NodeGroup(pulumi.ComponentResource):
    """Nodes of Amazon Linux 2023 over all zones, from a launch template of our own.

    Attributes:
        node_group_name: Physical name of the group.
        autoscaling_group_name: The Auto Scaling group behind it.
        launch_template_id: The template.
    """

    node_group_name: pulumi.Output[str]
    autoscaling_group_name: pulumi.Output[str]
    launch_template_id: pulumi.Output[str]

    def __init__(self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:NodeGroup", name, None, opts)
        template = self._launch_template(name, args)
        group = aws.eks.NodeGroup(
            name,
            cluster_name=args.cluster_name,
            version=args.version,
            ami_type="AL2023_x86_64_STANDARD",
            capacity_type=args.capacity_type,
            instance_types=list(args.instance_types),
            node_role_arn=args.role_arn,
            subnet_ids=list(args.subnet_ids),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={
                "min_size": args.min_size,
                "max_size": args.max_size,
                "desired_size": args.min_size,
            },
            labels={GROUP_LABEL: name},
            taints=[
                {"key": key, "value": value, "effect": "NO_SCHEDULE"} for key, value in args.taints.items()
            ],
            # A third at a time keeps two zones' worth of nodes through an update.
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            tags={"Name": name},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.after),
                ignore_changes=["scalingConfig.desiredSize"],
                custom_timeouts=pulumi.CustomTimeouts(create="30m", update="60m", delete="30m"),
            ),
        )
        self.node_group_name = group.node_group_name
        self.autoscaling_group_name = group.resources.apply(_autoscaling_group)
        self.launch_template_id = template.id
        self.register_outputs({output: getattr(self, output) for output in NodeGroup.__annotations__})

    def _launch_template(self, name: str, args: NodeGroupArgs) -> aws.ec2.LaunchTemplate:
        # Types of one group are alike, so one speaks for all.
        any_type = instance_type(args.instance_types[0])
        config = node_config(args.max_pods, reserve(any_type, args.max_pods))
        tags = {**args.tags, "Name": name}
        return aws.ec2.LaunchTemplate(
            name,
            description=f"Nodes of the {name} group",
            update_default_version=True,
            user_data=user_data(config),
            vpc_security_group_ids=list(args.security_group_ids),
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                # One hop ends at the node: pods have identities of their own and never reach the node's.
                "http_put_response_hop_limit": 1,
                "instance_metadata_tags": "disabled",
            },
            monitoring={"enabled": True},
            block_device_mappings=[
                {
                    "device_name": _ROOT_DEVICE,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": args.volume_gib,
                        "encrypted": "true",
                        "kms_key_id": args.volume_key_arn,
                        "delete_on_termination": "true",
                    },
                }
            ],
            tag_specifications=[
                {"resource_type": kind, "tags": tags} for kind in ("instance", "volume", "network-interface")
            ],
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _autoscaling_group(resources: Sequence[aws.eks.outputs.NodeGroupResource]) -> str:
    groups = resources[0].autoscaling_groups if resources else None
    return (groups[0].name if groups else None) or ""
