"""EKS add-ons, as the workloads that the real ones put into kube-system, and their health."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes.client.exceptions import ApiException

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers import standin_manifests
from cloudcommerce_sandbox.kubernetes.controllers.owned import Manifest, Owned
from cloudcommerce_sandbox.kubernetes.model import AddonReport, AddonSpec, ClusterSpec, Issue, Report

_ADDON = "sandbox.cloudcommerce.dev/addon"
_KINDS = (
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("v1", "Service"),
    ("policy/v1", "PodDisruptionBudget"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
)
_SOON_SECONDS = 1.0
_SERVER_ERROR = 500


class AddonsController:
    """Keeps the stand-ins of a cluster's add-ons, and reports their health as EKS does."""

    def __init__(self) -> None:
        self._owned = Owned("addons", _KINDS)

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:
        """Make the stand-ins those of the cluster's add-ons.

        Args:
            cluster: The cluster as it should be.
            api: The running cluster.
        """
        if cluster.local:
            return Report()
        found = self._owned.find(api)
        wanted: list[Manifest] = []
        reports: list[AddonReport] = []
        installed = [addon for addon in cluster.addons if addon.status != "DELETING"]
        for addon in installed:
            if not standin_manifests.is_known(addon.name):
                reports.append(_unknown(addon))
                continue
            manifests = [
                _named(item, addon.name) for item in standin_manifests.manifests(addon, cluster.region)
            ]
            wanted += manifests
            try:
                objects = self._owned.apply(api, manifests, found)
            except ApiException as error:
                if error.status is None or error.status >= _SERVER_ERROR:
                    raise
                reports.append(_degraded(addon.name, "AdmissionRequestDenied", _reason(error)))
            else:
                reports += _health(addon, objects)
        gone = self._owned.remove(api, wanted, found)
        left = {(item["metadata"].get("labels") or {}).get(_ADDON) for item in gone}
        deleted = [addon.name for addon in cluster.addons if addon.status == "DELETING"]
        reports += [AddonReport(name=name, status="GONE") for name in deleted if name not in left]
        waiting = {addon.name for addon in cluster.addons} - {report.name for report in reports}
        return Report(addons=reports, again_after_seconds=_SOON_SECONDS if gone or waiting else None)


def _named(manifest: Manifest, addon: str) -> Manifest:
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), _ADDON: addon}}}


def _unknown(addon: AddonSpec) -> AddonReport:
    message = f"The sandbox has no stand-in for the add-on {addon.name}: nothing of it runs here."
    return _degraded(addon.name, "K8sResourceNotFound", message)


def _health(addon: AddonSpec, objects: Iterable[Manifest]) -> list[AddonReport]:
    """Return what EKS would say; nothing as long as it would go on waiting.

    An add-on becomes active when all of its replicas are available, and degraded when none is, or when the
    Deployment's own deadline has passed.
    """
    workloads = [item for item in objects if item["kind"] in ("Deployment", "DaemonSet")]
    if all(_is_complete(item) for item in workloads):
        return [AddonReport(name=addon.name, status="ACTIVE")]
    names = ", ".join(item["metadata"]["name"] for item in workloads if not _is_complete(item))
    if addon.status in ("ACTIVE", "DEGRADED"):
        if all(_is_serving(item) for item in workloads):
            return [AddonReport(name=addon.name, status="ACTIVE")]
    elif not any(_has_given_up(item) for item in workloads):
        return []
    message = f"The add-on is unhealthy because these have no replicas available: {names}."
    return [_degraded(addon.name, "InsufficientNumberOfReplicas", message)]


def _is_complete(workload: Mapping[str, Any]) -> bool:
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 1):
        return False
    if workload["kind"] == "DaemonSet":
        desired = status.get("desiredNumberScheduled", 0)
        return bool(
            status.get("updatedNumberScheduled", 0) >= desired and status.get("numberAvailable", 0) >= desired
        )
    replicas = workload["spec"].get("replicas", 1)
    return bool(
        status.get("updatedReplicas", 0) >= replicas and status.get("availableReplicas", 0) >= replicas
    )


def _is_serving(workload: Mapping[str, Any]) -> bool:
    status = workload.get("status") or {}
    if workload["kind"] == "DaemonSet":
        return not status.get("desiredNumberScheduled") or bool(status.get("numberAvailable"))
    return not workload["spec"].get("replicas", 1) or bool(status.get("availableReplicas"))


def _has_given_up(workload: Mapping[str, Any]) -> bool:
    conditions = (workload.get("status") or {}).get("conditions") or []
    return any(item["type"] == "Progressing" and item["status"] == "False" for item in conditions)


def _degraded(addon: str, code: str, message: str) -> AddonReport:
    return AddonReport(name=addon, status="DEGRADED", issues=(Issue(code=code, message=message),))


def _reason(error: ApiException) -> str:
    try:
        message = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        message = error.reason
    return str(message)
