"""The objects that stand for an EKS add-on, changed as its configuration values say."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cloudcommerce_sandbox.kubernetes.model import AddonSpec

Manifest = dict[str, Any]

_REGION_OF_IMAGES = "us-west-2"
_ROLE = "eks.amazonaws.com/role-arn"


@dataclass(frozen=True)
class _Shape:
    """Where an add-on's configuration values go.

    Attributes:
        sections: The workload that each section of the values is about; the empty section is the top.
        service_account: The account that gets the add-on's role; empty where it has none of its own.
    """

    sections: Mapping[str, tuple[str, str]]
    service_account: str


_SHAPES = {
    "vpc-cni": _Shape({"": ("DaemonSet", "aws-node")}, "aws-node"),
    "kube-proxy": _Shape({"": ("DaemonSet", "kube-proxy")}, "kube-proxy"),
    "coredns": _Shape({"": ("Deployment", "coredns")}, "coredns"),
    "aws-ebs-csi-driver": _Shape(
        {"controller": ("Deployment", "ebs-csi-controller"), "node": ("DaemonSet", "ebs-csi-node")},
        "ebs-csi-controller-sa",
    ),
    "snapshot-controller": _Shape({"": ("Deployment", "snapshot-controller")}, "snapshot-controller"),
    "eks-pod-identity-agent": _Shape({"": ("DaemonSet", "eks-pod-identity-agent")}, ""),
    "metrics-server": _Shape({"": ("Deployment", "metrics-server")}, "metrics-server"),
}


def is_known(addon: str) -> bool:
    """Say whether there is a stand-in for an add-on."""
    return addon in _SHAPES


def manifests(addon: AddonSpec, region: str) -> list[Manifest]:
    """Return the objects of an add-on.

    Args:
        addon: A known one, with its configuration values. Those that do not change the shape of its workloads
            are not looked at.
        region: The cluster's region, where its images come from.
    """
    shape = _SHAPES[addon.name]
    objects = copy.deepcopy(_standin(addon.name))
    for manifest in objects:
        identity = (manifest["kind"], manifest["metadata"]["name"])
        for section, workload in shape.sections.items():
            if identity == workload:
                values = addon.configuration.get(section, {}) if section else addon.configuration
                _configure(manifest, values if isinstance(values, Mapping) else {})
        if manifest["kind"] in ("Deployment", "DaemonSet"):
            _set_images(manifest, addon.version, region)
        if identity == ("ServiceAccount", shape.service_account) and addon.service_account_role_arn:
            manifest["metadata"]["annotations"] = {_ROLE: addon.service_account_role_arn}
    return _with_choices(addon, objects)


def _configure(workload: Manifest, values: Mapping[str, Any]) -> None:
    spec = workload["spec"]
    pod = spec["template"]["spec"]
    first = pod["containers"][0]
    replicas = values.get("replicaCount", values.get("replicas"))
    if replicas is not None and workload["kind"] == "Deployment":
        spec["replicas"] = replicas
    for name in ("tolerations", "nodeSelector", "affinity", "topologySpreadConstraints", "priorityClassName"):
        if name in values:
            pod[name] = values[name]
    if "resources" in values:
        first["resources"] = values["resources"]
    if isinstance(values.get("env"), Mapping):
        given = {item["name"]: item for item in first.get("env", [])}
        given.update({name: {"name": name, "value": str(value)} for name, value in values["env"].items()})
        first["env"] = list(given.values())
    metadata = spec["template"].setdefault("metadata", {})
    for name, field in (("podLabels", "labels"), ("podAnnotations", "annotations")):
        if isinstance(values.get(name), Mapping):
            metadata[field] = {**metadata.get(field, {}), **values[name]}


def _set_images(workload: Manifest, version: str, region: str) -> None:
    pod = workload["spec"]["template"]["spec"]
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        image = container["image"].replace(_REGION_OF_IMAGES, region or _REGION_OF_IMAGES)
        container["image"] = f"{image}:{version}"


def _with_choices(addon: AddonSpec, objects: list[Manifest]) -> list[Manifest]:
    """Return the objects with what single values add or take away."""
    values = addon.configuration
    budget = values.get("podDisruptionBudget")
    if isinstance(budget, Mapping):
        _set_budget(objects, budget)
        if budget.get("enabled") is False:
            objects = [item for item in objects if item["kind"] != "PodDisruptionBudget"]
    if addon.name == "vpc-cni" and str(values.get("enableNetworkPolicy", "")).lower() == "true":
        agent = _workload(objects, "aws-node")["spec"]["template"]["spec"]["containers"][1]
        agent["args"] = ["--enable-network-policy=true"]
    default_class = values.get("defaultStorageClass")
    if isinstance(default_class, Mapping) and default_class.get("enabled"):
        objects = [*objects, _default_storage_class()]
    return objects


def _set_budget(objects: Iterable[Manifest], budget: Mapping[str, Any]) -> None:
    limits = {name: budget[name] for name in ("minAvailable", "maxUnavailable") if name in budget}
    for manifest in objects:
        if manifest["kind"] == "PodDisruptionBudget" and limits:
            manifest["spec"] = {"selector": manifest["spec"]["selector"], **limits}


def _default_storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "ebs-csi-default-sc",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true"},
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def _workload(objects: Iterable[Manifest], name: str) -> Manifest:
    return next(
        item
        for item in objects
        if item["metadata"]["name"] == name and item["kind"] in ("Deployment", "DaemonSet")
    )


@cache
def _standin(addon: str) -> list[Manifest]:
    source = files("cloudcommerce_sandbox.kubernetes").joinpath("standins", f"{addon}.yaml")
    return list(yaml.safe_load_all(source.read_text(encoding="utf-8")))
