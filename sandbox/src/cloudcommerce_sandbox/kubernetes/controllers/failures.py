"""Carries `sandbox.cloudcommerce.dev/fail` of a namespace to its pods, where nodes look for it."""

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Report

FAIL = "sandbox.cloudcommerce.dev/fail"
_TOLD = "sandbox.cloudcommerce.dev/fails-with-namespace"
_SOON_SECONDS = 2.0


class FailuresController:
    """Tells the pods of a namespace what their namespace is told, and takes it back."""

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:  # noqa: ARG002  # alike in all
        """Mark the pods of namespaces that are told to fail, and clear those of others.

        Args:
            cluster: Not looked at.
            api: The running cluster.
        """
        failing = {
            item["metadata"]["name"]: item["metadata"]["annotations"][FAIL]
            for item in api.list("v1", "Namespace")
            if (item["metadata"].get("annotations") or {}).get(FAIL)
        }
        for namespace, failure in failing.items():
            for pod in api.list("v1", "Pod", namespace=namespace, labels=f"!{_TOLD}"):
                if FAIL not in (pod["metadata"].get("annotations") or {}):
                    _tell(api, pod, failure)
        for pod in api.list("v1", "Pod", labels=_TOLD):
            failure = failing.get(pod["metadata"]["namespace"])
            if (pod["metadata"].get("annotations") or {}).get(FAIL) != failure:
                _tell(api, pod, failure)
        return Report(again_after_seconds=_SOON_SECONDS if failing else None)


def _tell(api: ClusterApi, pod: Mapping[str, Any], failure: str | None) -> None:
    metadata = pod["metadata"]
    marks = {"annotations": {FAIL: failure}, "labels": {_TOLD: None if failure is None else "true"}}
    api.patch("v1", "Pod", metadata["name"], {"metadata": marks}, namespace=metadata["namespace"])
