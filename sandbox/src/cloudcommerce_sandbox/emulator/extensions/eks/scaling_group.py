"""The Auto Scaling group of a node group: instances spread over zones and, for Spot, over instance types.

moto's own puts every instance into the first subnet, with the one type of its launch template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.core.types import Base64EncodedString
from moto.ec2.models import ec2_backends


@dataclass(frozen=True)
class LaunchPlan:
    """How the instances of a node group are launched.

    Attributes:
        template_id: launch template that EKS made for the group.
        image_id: their image.
        instance_types: the first one for On-Demand capacity, all of them for Spot.
        subnets: subnets to spread over.
        security_groups: groups that they carry.
        is_spot: whether they are Spot capacity.
        block_devices: their volumes, in EC2's shape.
        user_data: in base64.
        metadata_options: of the instance metadata service.
        tags: tags of instances and volumes.
    """

    template_id: str
    image_id: str
    instance_types: tuple[str, ...]
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    is_spot: bool
    block_devices: list[dict[str, Any]]
    user_data: Base64EncodedString | None
    metadata_options: dict[str, Any]
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


class NodeScalingGroup(FakeAutoScalingGroup):
    """An Auto Scaling group that EKS manages.

    Attributes:
        plan: how new instances are launched.
        retiring: instances of the last plan, which stay until their successors are ready.
    """

    def __init__(self, plan: LaunchPlan, **settings: Any) -> None:
        self.plan = plan
        self.retiring: set[str] = set()
        super().__init__(**settings)

    def active_instances(self) -> list[InstanceState]:
        """Returns the instances that count towards the desired capacity."""
        return [state for state in super().active_instances() if state.instance.id not in self.retiring]

    def running(self) -> list[Any]:
        """Returns all running instances, also those that are about to be replaced."""
        return [state.instance for state in self.instance_states if state.instance.state == "running"]

    def set_desired_capacity(self, new_capacity: int | None) -> None:
        """Launches what is missing, or terminates what is too much in the fullest zones."""
        self.desired_capacity = self.min_size if new_capacity is None else int(new_capacity)
        surplus = len(self.active_instances()) - (self.desired_capacity or 0)
        if surplus > 0:
            self._terminate(self._least_needed(surplus))
        elif surplus < 0:
            self.replace_autoscaling_group_instances(-surplus, self.get_propagated_tags())
        if self.name in self.autoscaling_backend.autoscaling_groups:
            self.autoscaling_backend.update_attached_elbs(self.name)
            self.autoscaling_backend.update_attached_target_groups(self.name)

    def replace_autoscaling_group_instances(self, count_needed: int, propagated_tags: dict[str, str]) -> None:
        """Launches instances."""
        for _ in range(count_needed):
            self._launch(propagated_tags)

    def update(self, *args: Any, **changes: Any) -> None:
        """Takes a change of the group; instance types that it does not name stay."""
        policy = self.mixed_instances_policy
        super().update(*args, **changes)
        self.mixed_instances_policy = self.mixed_instances_policy or policy

    def replace_all(self, plan: LaunchPlan) -> None:
        """Launches as many instances by a new plan as there are; the old ones retire."""
        self.plan = plan
        self.retiring.update(instance.id for instance in self.running())
        self.replace_autoscaling_group_instances(self.desired_capacity or 0, self.get_propagated_tags())

    def retire(self) -> None:
        """Terminates the instances whose successors are ready."""
        self._terminate([state for state in self.instance_states if state.instance.id in self.retiring])
        self.retiring.clear()

    def _launch(self, propagated_tags: dict[str, str]) -> None:
        plan, active = self.plan, [state.instance for state in self.active_instances()]
        subnet = _rarest(plan.subnets, (instance.subnet_id for instance in active))
        kind = plan.instance_types[0]
        if plan.is_spot:
            kind = _rarest(plan.instance_types, (instance.instance_type for instance in active))
        own = {**propagated_tags, "aws:autoscaling:groupName": self.name}
        reservation = self.ec2_backend.run_instances(
            plan.image_id,
            1,
            plan.user_data,
            [],
            instance_type=kind,
            is_instance_type_default=False,
            region_name=self.region,
            subnet_id=subnet,
            security_group_ids=list(plan.security_groups),
            nics=[{"DeviceIndex": 0, "DeleteOnTermination": True}],
            launch_template={"LaunchTemplateId": plan.template_id, "Version": "$Latest"},
            block_device_mappings=plan.block_devices,
            metadata_options=plan.metadata_options,
            instance_market_options={"MarketType": "spot"} if plan.is_spot else None,
            tags={
                "instance": {**plan.tags.get("instance", {}), **own},
                "volume": plan.tags.get("volume", {}),
            },
        )
        launched: list[Any] = reservation.instances
        for instance in launched:
            instance.autoscaling_group = self
            state = InstanceState(
                instance, protected_from_scale_in=self.new_instances_protected_from_scale_in
            )
            self.instance_states.append(state)

    def _least_needed(self, count: int) -> list[InstanceState]:
        chosen: list[InstanceState] = []
        candidates = [state for state in self.active_instances() if not state.protected_from_scale_in]
        while len(chosen) < count and candidates:
            zones = Counter(state.instance.placement.zone for state in candidates)
            fullest = max(candidates, key=lambda state: zones[state.instance.placement.zone])
            candidates.remove(fullest)
            chosen.append(fullest)
        return chosen

    def _terminate(self, states: list[InstanceState]) -> None:
        ids = [state.instance.id for state in states if state.instance.state != "terminated"]
        if ids:
            self.ec2_backend.terminate_instances(ids)
        self.instance_states = [state for state in self.instance_states if state not in states]


def _rarest(names: Iterable[str], used: Iterable[str | None]) -> str:
    counts = Counter(used)
    return min(names, key=lambda name: counts[name])


def make_scaling_group(
    place: tuple[str, str], name: str, plan: LaunchPlan, sizes: dict[str, int], tags: dict[str, str]
) -> NodeScalingGroup:
    """Makes the Auto Scaling group of a node group and launches its instances.

    Args:
        place: account and region.
        name: name of the group.
        plan: how to launch.
        sizes: `minSize`, `maxSize` and `desiredSize`.
        tags: tags of the group, which its instances get too.
    """
    account, region = place
    backend: Any = autoscaling_backends[account][region]
    share = 0 if plan.is_spot else 100
    make: Any = NodeScalingGroup  # moto's class leaves abstract what only CloudFormation asks for
    group: NodeScalingGroup = make(
        plan,
        name=name,
        availability_zones=[],
        desired_capacity=sizes["desiredSize"],
        max_size=sizes["maxSize"],
        min_size=sizes["minSize"],
        launch_config_name=None,
        launch_template=None,
        vpc_zone_identifier=",".join(plan.subnets),
        default_cooldown=None,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        autoscaling_backend=backend,
        ec2_backend=ec2_backends[account][region],
        tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
        mixed_instances_policy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": plan.template_id, "Version": "1"},
                "Overrides": [{"InstanceType": kind} for kind in plan.instance_types],
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": share,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
        capacity_rebalance=plan.is_spot,
    )
    backend.autoscaling_groups[name] = group
    return group
