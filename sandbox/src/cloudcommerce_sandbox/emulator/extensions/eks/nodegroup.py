"""A managed node group: what EKS remembers of it, over its Auto Scaling group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.documents import Document, Update, new_id, now, present
from cloudcommerce_sandbox.emulator.extensions.eks.launch import (
    launch_data,
    plan_launch,
    pods_of,
    remove_template,
    reserved_memory_of,
    root_volume_gib,
)
from cloudcommerce_sandbox.emulator.extensions.eks.scaling_group import NodeScalingGroup, make_scaling_group


@dataclass
class Nodegroup:
    """A node group.

    Attributes:
        settings: what DescribeNodegroup says back of the caller's configuration, by member. Sizes are those
            of the Auto Scaling group, whoever set them.
        ready: identifiers of the instances that are ready nodes, as last reported.
        was_active: whether all of its nodes were ready once.
    """

    name: str
    cluster: Cluster
    settings: Document
    tags: dict[str, str]
    token: str | None = None
    id: str = field(default_factory=new_id)
    is_deleting: bool = False
    was_active: bool = False
    ready: set[str] = field(default_factory=set)
    issues: list[Document] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        """Its ARN."""
        cluster = self.cluster
        place = f"arn:aws:eks:{cluster.region}:{cluster.account}"
        return f"{place}:nodegroup/{cluster.name}/{self.name}/{self.id}"

    @property
    def group_name(self) -> str:
        """Name of its Auto Scaling group."""
        return f"eks-{self.name}-{self.id}"

    @property
    def group(self) -> NodeScalingGroup | None:
        """Its Auto Scaling group; None when somebody has deleted it."""
        backend: Any = autoscaling_backends[self.cluster.account][self.cluster.region]
        found: NodeScalingGroup | None = backend.autoscaling_groups.get(self.group_name)
        return found

    @property
    def instances(self) -> list[Any]:
        """Its running instances."""
        return self.group.running() if self.group else []

    @property
    def is_settled(self) -> bool:
        """Whether all the instances that it should have are ready."""
        group = self.group
        if group is None:
            return True
        wanted = {state.instance.id for state in group.active_instances()}
        return len(wanted) == group.desired_capacity and wanted <= self.ready

    @property
    def status(self) -> str:
        """Its status in the API."""
        if self.is_deleting:
            return "DELETING"
        if self.group is None or (self.was_active and self.issues):
            return "DEGRADED"
        if not self.was_active:
            return "CREATING"
        return "UPDATING" if any(update.is_open for update in self.updates) else "ACTIVE"

    @property
    def updates(self) -> list[Update]:
        """Its updates."""
        return [update for update in self.cluster.updates if update.nodegroup == self.name]

    @property
    def max_pods(self) -> int | None:
        """The kubelet's `maxPods` by its launch template, or None."""
        return pods_of(self._launch_data())

    @property
    def reserved_memory_mib(self) -> int | None:
        """The memory that its launch template has the kubelet reserve, or None."""
        return reserved_memory_of(self._launch_data())

    @property
    def root_volume_gib(self) -> int:
        """Size of its nodes' root volumes."""
        return root_volume_gib(self._launch_data(), self.settings.get("diskSize"))

    def _launch_data(self) -> Document:
        try:
            return launch_data(self.cluster.account, self.cluster.region, self.settings.get("launchTemplate"))
        except LookupError:  # the caller's launch template was deleted since; EKS launches from its own
            return {}

    def launch(self, sizes: dict[str, int]) -> None:
        """Makes its Auto Scaling group and the first instances."""
        plan = plan_launch(self.cluster, self.settings, self.group_name, self._own_tags())
        cluster = self.cluster
        tags = {
            **self._own_tags(),
            "k8s.io/cluster-autoscaler/enabled": "true",
            f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
            f"kubernetes.io/cluster/{cluster.name}": "owned",
        }
        make_scaling_group((cluster.account, cluster.region), self.group_name, plan, sizes, tags)

    def relaunch(self) -> None:
        """Replaces its instances by ones of its present settings."""
        if self.group is not None:
            plan = plan_launch(self.cluster, self.settings, self.group_name, self._own_tags())
            self.group.replace_all(plan)

    def resize(self, sizes: Mapping[str, int]) -> None:
        """Changes sizes; those that are not named stay."""
        if self.group is not None:
            self.group.min_size = sizes.get("minSize", self.group.min_size)
            self.group.max_size = sizes.get("maxSize", self.group.max_size)
            self.group.set_desired_capacity(sizes.get("desiredSize", self.group.desired_capacity))

    def report(self, ready: Iterable[str], issues: Iterable[Document]) -> None:
        """Takes which instances are ready nodes, and what is wrong."""
        self.ready, self.issues = set(ready), list(issues)
        self.settle()

    def settle(self) -> None:
        """Ends what waits for ready nodes, once they are."""
        if not self.is_settled or self.group is None:
            return
        self.group.retire()
        self.was_active = True
        for update in self.updates:
            if update.is_open:
                update.finish()

    def mark_all_ready(self) -> None:
        """Takes every instance for a ready node, where nobody runs nodes."""
        self.report((instance.id for instance in self.instances), ())

    def remove(self) -> None:
        """Terminates its instances and removes its Auto Scaling group and EKS's launch template."""
        cluster = self.cluster
        if self.group is not None:
            self.group.retire()
            autoscaling: Any = autoscaling_backends[cluster.account][cluster.region]
            autoscaling.delete_auto_scaling_group(self.group_name)
        remove_template(cluster.account, cluster.region, self.group_name)

    def sizes(self) -> dict[str, int]:
        """Returns the sizes that hold now."""
        group = self.group
        if group is None:
            return {"minSize": 0, "maxSize": 1, "desiredSize": 0}
        return {
            "minSize": group.min_size or 0,
            "maxSize": group.max_size or 0,
            "desiredSize": group.desired_capacity or 0,
        }

    def zone_id(self, instance: Any) -> str:
        """Returns the identifier of an instance's zone."""
        ec2: Any = ec2_backends[self.cluster.account][self.cluster.region]
        return str(ec2.get_subnet(instance.subnet_id).availability_zone_id)

    def _own_tags(self) -> dict[str, str]:
        return {"eks:cluster-name": self.cluster.name, "eks:nodegroup-name": self.name}

    def describe(self) -> Document:
        """Returns the API's Nodegroup."""
        issues = list(self.issues)
        if self.group is None and not self.is_deleting:
            message = f"The Auto Scaling group {self.group_name} was not found."
            issue = {"code": "AutoScalingGroupNotFound", "message": message, "resourceIds": [self.group_name]}
            issues.append(issue)
        return present(
            {
                **self.settings,
                "nodegroupName": self.name,
                "nodegroupArn": self.arn,
                "clusterName": self.cluster.name,
                "status": self.status,
                "createdAt": self.created_at,
                "modifiedAt": self.modified_at,
                "scalingConfig": self.sizes(),
                "resources": {"autoScalingGroups": [{"name": self.group_name}]},
                "health": {"issues": issues},
                "tags": self.tags,
            }
        )
