"""`/sandbox-api/kubernetes`: what the follower of the emulator's EKS asks and reports."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT

from cloudcommerce_sandbox.emulator.control_api import json_object
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.models import backend_of
from cloudcommerce_sandbox.emulator.kubernetes_feed import LONGEST_WAIT_SECONDS, KubernetesFeed
from cloudcommerce_sandbox.emulator.tokens import TokenVerifier

Report = Mapping[str, Any]
_LOCAL_REPORT = ("status", "endpoint", "certificateAuthority", "message")


class KubernetesApi:
    """Answers the requests of the follower.

    Args:
        feed: the document of all clusters.
        lock: guards moto's state.
        identity: returns the emulator's own url.
    """

    def __init__(
        self, feed: KubernetesFeed, lock: threading.RLock, identity: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._feed = feed
        self._lock = lock
        self._identity = identity

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Any:
        """Answers one request.

        Args:
            method: HTTP method.
            path: what follows `/sandbox-api/kubernetes/`.
            query: query parameters.
            body: JSON, where there is any.

        Raises:
            LookupError: there is no such request, cluster, node group or add-on.
            ValueError: the body or the query makes no sense.
            TypeError: the body is no JSON object, or a member of it is of another type.
        """
        answered: Any = None
        match method, [unquote(part) for part in path.split("/") if part]:
            case "GET", []:
                answered = self._feed.wait(_whole(query, "after"), _seconds(query))
            case "POST", ["tokens"]:
                answered = self._verify(json_object(body, "a token"))
            case "POST", ["clusters", name]:
                self._change(self._report_cluster, name, json_object(body, "a report"))
            case "DELETE", ["clusters", name]:
                self._change(self._forget_cluster, name, query)
            case "POST", ["clusters", name, "nodegroups", group]:
                self._change(self._report_nodegroup, name, json_object(body, "a report"), group)
            case "POST", ["clusters", name, "addons", addon]:
                self._change(self._report_addon, name, json_object(body, "a report"), addon)
            case "PUT", ["local", name]:
                self._feed.put_local(name, json_object(body, "a local cluster"))
            case "POST", ["local", name]:
                report = json_object(body, "a report")
                self._feed.report_local(name, {key: report[key] for key in _LOCAL_REPORT if key in report})
            case "DELETE", ["local", name]:
                self._feed.remove_local(name)
            case _:
                raise LookupError(f"no {method} /sandbox-api/kubernetes/{path}")
        return answered

    def _change(self, apply: Callable[..., None], name: str, report: Report, *part: str) -> None:
        region = str(report.get("region") or "us-east-1")
        with self._lock:
            cluster = backend_of(ACCOUNT, region).cluster_operations.clusters.get(name)
            if cluster is None:
                raise LookupError(f"no cluster {name} in {region}")
            apply(cluster, report, *part)
            self._feed.refresh()

    @staticmethod
    def _report_cluster(cluster: Cluster, report: Report) -> None:
        status = report.get("status")
        if cluster.status == "DELETING":
            return  # a report that was under way when the deletion came
        if status == "ACTIVE":
            cluster.activate(_text(report, "endpoint"), _text(report, "certificateAuthority"))
        elif status == "FAILED":
            cluster.fail(_text(report, "message") or "The control plane did not start.")
        else:
            raise ValueError(f"status is {status!r}; take ACTIVE or FAILED")

    @staticmethod
    def _forget_cluster(cluster: Cluster, _: Report) -> None:
        if cluster.status != "DELETING":
            raise ValueError(f"cluster {cluster.name} is {cluster.status}; it goes after DeleteCluster")
        backend_of(cluster.account, cluster.region).cluster_operations.forget_cluster(cluster)

    @staticmethod
    def _report_nodegroup(cluster: Cluster, report: Report, name: str) -> None:
        group = cluster.nodegroups.get(name)
        if group is None:
            raise LookupError(f"no node group {name} in cluster {cluster.name}")
        ready, issues = _list(report, "ready"), _list(report, "issues")
        if group.is_deleting:
            if report.get("gone") and not ready:
                backend_of(cluster.account, cluster.region).nodegroup_operations.forget_nodegroup(group)
        else:
            group.report(ready, issues)

    @staticmethod
    def _report_addon(cluster: Cluster, report: Report, name: str) -> None:
        addon, status = cluster.addons.get(name), report.get("status")
        if addon is None:
            raise LookupError(f"no add-on {name} in cluster {cluster.name}")
        if status not in {"ACTIVE", "DEGRADED", "GONE"}:
            raise ValueError(f"status is {status!r}; take ACTIVE, DEGRADED or GONE")
        if status == "GONE":
            if addon.status == "DELETING":
                backend_of(cluster.account, cluster.region).addon_operations.forget_addon(cluster, addon)
            return
        addon.report(status, _list(report, "issues"))
        for update in cluster.updates:
            if update.addon == name and update.is_open and status == "ACTIVE":
                update.finish()

    def _verify(self, request: Report) -> dict[str, str]:
        verifier = TokenVerifier(str(self._identity()["url"]))
        with self._lock:
            return verifier.verify(_text(request, "token"), _text(request, "cluster"))


def _text(report: Report, name: str) -> str:
    value = report.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is a text, got {type(value).__name__}")
    return value or ""


def _list(report: Report, name: str) -> list[Any]:
    value = report.get(name)
    if value is not None and not isinstance(value, list):
        raise TypeError(f"{name} is a list, got {type(value).__name__}")
    return value or []


def _whole(query: Mapping[str, str], name: str) -> int:
    value = query.get(name) or "0"
    if not value.lstrip("-").isdecimal():
        raise ValueError(f"{name} is {value!r}; it must be a whole number")
    return int(value)


def _seconds(query: Mapping[str, str]) -> float:
    value = float(query.get("wait") or 0)
    if not math.isfinite(value):
        raise ValueError(f"wait is {value}; take 0 to {LONGEST_WAIT_SECONDS:g} seconds")
    return max(value, 0.0)
