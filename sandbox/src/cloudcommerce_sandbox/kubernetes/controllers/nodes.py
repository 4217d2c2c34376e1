"""Instances of node groups become nodes, and nodes without an instance leave."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers import node_manifests
from cloudcommerce_sandbox.kubernetes.controllers.drain import leave, remove
from cloudcommerce_sandbox.kubernetes.controllers.instance_types import (
    InstanceTypes,
    UnknownInstanceTypeError,
)
from cloudcommerce_sandbox.kubernetes.controllers.node_manifests import NodePlan, TooSmallError
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Issue, NodegroupReport, NodegroupSpec, Report

_MANAGED = "sandbox.cloudcommerce.dev/node"
_TAINTS = "sandbox.cloudcommerce.dev/taints"
# By it the kubelet leaves attaching to the controller manager, which else does not look at the node.
_ATTACHED_BY_CONTROLLER = "volumes.kubernetes.io/controller-managed-attach-detach"
_KUBELET = "cloudcommerce-sandbox-kubelet"
_NODEGROUP = "cloudcommerce-sandbox-nodegroup"
_SOON_SECONDS = 1.0


class NodesController:
    """Keeps the nodes of a cluster those of its instances.

    A node that somebody deletes comes back, as long as its instance runs. Nodes of others are left alone.
    """

    def __init__(self) -> None:
        self._types = InstanceTypes()

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:
        """Bring the nodes one step nearer to the instances.

        Args:
            cluster: The cluster as it should be.
            api: The running cluster.
        """
        plans: dict[str, NodePlan] = {}
        issues: dict[str, list[Issue]] = {}
        if cluster.local:
            for local in cluster.local.nodes:
                plans[local.name] = node_manifests.of_local_node(cluster.version, local)
        for group in cluster.nodegroups:
            group_plans, issues[group.name] = self._plans(cluster, group, api)
            plans.update(group_plans)

        found = {node["metadata"]["name"]: node for node in api.list("v1", "Node")}
        for plan in plans.values():
            _bring(api, plan, found.get(plan.name))
        leaving = {
            name: node for name, node in found.items() if name not in plans and _MANAGED in _labels(node)
        }
        staying = {name: node for name, node in leaving.items() if not leave(api, node)}
        return _report(cluster, plans, found, staying, issues)

    def _plans(
        self, cluster: ClusterSpec, group: NodegroupSpec, api: ClusterApi
    ) -> tuple[dict[str, NodePlan], list[Issue]]:
        plans = {}
        issues = []
        for instance in group.instances:
            try:
                instance_type = self._types.get(api, instance.type)
                plan = node_manifests.of_instance(
                    cluster.name, cluster.region, group, instance, instance_type
                )
            except UnknownInstanceTypeError as error:
                issues.append(_issue("Ec2InstanceTypeDoesNotExist", error, instance.id))
            except TooSmallError as error:
                issues.append(_issue("NodeCreationFailure", error, instance.id))
            else:
                plans[plan.name] = plan
        return plans, issues


def _issue(code: str, error: Exception, instance: str) -> Issue:
    return Issue(code=code, message=str(error), resource_ids=(instance,))


def _bring(api: ClusterApi, plan: NodePlan, found: Mapping[str, Any] | None) -> None:
    if found is not None and (found.get("spec") or {}).get("providerID") != plan.provider_id:
        remove(api, plan.name)  # another machine had the address, and so the name
        found = None
    if found is None:
        _register(api, plan)
        return
    _follow_group(api, plan, found)
    status = found.get("status") or {}
    if any(status.get(field) != plan.status[field] for field in ("capacity", "allocatable")):
        api.patch("v1", "Node", plan.name, {"status": dict(plan.status)}, subresource="status")


def _register(api: ClusterApi, plan: NodePlan) -> None:
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": plan.name,
                "annotations": {_TAINTS: _shown(plan.taints), _ATTACHED_BY_CONTROLLER: "true"},
            },
            "spec": {"providerID": plan.provider_id, "taints": [dict(taint) for taint in plan.taints]},
        },
        manager=_KUBELET,
    )
    _label(api, plan)
    api.patch("v1", "Node", plan.name, {"status": dict(plan.status)}, subresource="status")


def _follow_group(api: ClusterApi, plan: NodePlan, found: Mapping[str, Any]) -> None:
    """Change labels and taints to the group's; those of others (a cordon, a lost node) stay."""
    metadata = found["metadata"]
    own_labels = {**plan.labels, _MANAGED: "true"}
    if any(_labels(found).get(name) != value for name, value in own_labels.items()) or _has_others(
        plan, found
    ):
        _label(api, plan)
    had = (metadata.get("annotations") or {}).get(_TAINTS, "[]")
    if had == _shown(plan.taints):
        return
    former = [(taint["key"], taint["effect"]) for taint in json.loads(had)]
    others = [
        taint
        for taint in (found.get("spec") or {}).get("taints") or []
        if (taint["key"], taint["effect"]) not in former
    ]
    change = {
        "metadata": {"annotations": {_TAINTS: _shown(plan.taints)}},
        "spec": {"taints": [*others, *(dict(taint) for taint in plan.taints)]},
    }
    api.patch("v1", "Node", plan.name, change)


def _label(api: ClusterApi, plan: NodePlan) -> None:
    labels = {**plan.labels, _MANAGED: "true"}
    metadata = {"name": plan.name, "labels": labels}
    api.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata}, manager=_NODEGROUP)


def _has_others(plan: NodePlan, found: Mapping[str, Any]) -> bool:
    """Say whether a label that the group gave earlier is no longer wanted."""
    for entry in found["metadata"].get("managedFields") or []:
        if entry.get("manager") == _NODEGROUP:
            given = entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:labels", {})
            names = {field.removeprefix("f:") for field in given if field.startswith("f:")}
            return not names <= {*plan.labels, _MANAGED}
    return False


def _report(
    cluster: ClusterSpec,
    plans: Mapping[str, NodePlan],
    found: Mapping[str, Mapping[str, Any]],
    staying: Mapping[str, Mapping[str, Any]],
    issues: Mapping[str, Iterable[Issue]],
) -> Report:
    reports = []
    for group in cluster.nodegroups:
        ready = tuple(item.id for item in group.instances if _is_ready(found.get(item.private_dns_name)))
        remains = any(
            _labels(node).get("eks.amazonaws.com/nodegroup") == group.name for node in staying.values()
        )
        gone = group.status == "DELETING" and not group.instances and not remains
        reports.append(
            NodegroupReport(name=group.name, ready=ready, gone=gone, issues=tuple(issues.get(group.name, ())))
        )
    moving = staying or any(not _is_ready(found.get(name)) for name in plans)
    return Report(nodegroups=reports, again_after_seconds=_SOON_SECONDS if moving else None)


def _is_ready(node: Mapping[str, Any] | None) -> bool:
    conditions = ((node or {}).get("status") or {}).get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _labels(node: Mapping[str, Any]) -> dict[str, str]:
    return node["metadata"].get("labels") or {}


def _shown(taints: Iterable[Mapping[str, str]]) -> str:
    return json.dumps([dict(taint) for taint in taints], sort_keys=True)
