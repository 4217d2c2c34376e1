"""The loops that wait. They ask again and again instead of watching: no watch can break or expire."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Final

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.awaiting import expressions, others, workloads
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.reasons import reasons
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.status import Check, Look
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object
from cloudcommerce_sandbox.plugins.provider import ProviderError

_MINUTE: Final = 60.0
_DEFAULT_LIMIT: Final = 10 * _MINUTE
_LIMITS: Final[Mapping[str, float]] = {
    "v1/PersistentVolume": 5 * _MINUTE,
    "v1/PersistentVolumeClaim": 5 * _MINUTE,
    "v1/ResourceQuota": _MINUTE,
    "v1/Secret": 5.0,
}
_CHECKS: Final[Mapping[str, Check]] = {
    "apiextensions.k8s.io/v1/CustomResourceDefinition": others.definition,
    "apiregistration.k8s.io/v1/APIService": others.api_service,
    "apps/v1/DaemonSet": workloads.daemon_set,
    "apps/v1/Deployment": workloads.deployment,
    "apps/v1/StatefulSet": workloads.stateful_set,
    "batch/v1/Job": workloads.job,
    "networking.k8s.io/v1/Ingress": others.ingress,
    "v1/PersistentVolume": others.volume,
    "v1/PersistentVolumeClaim": others.volume_claim,
    "v1/Pod": workloads.pod,
    "v1/ReplicationController": workloads.replication_controller,
    "v1/ResourceQuota": others.resource_quota,
    "v1/Secret": others.secret,
    "v1/Service": others.service,
}
"""Kinds that the official provider waits for, and definitions and API services, whose users would have to."""

_SEEN_ON_REFRESH: Final = frozenset(
    (
        "apps/v1/DaemonSet",
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "batch/v1/Job",
        "networking.k8s.io/v1/Ingress",
        "v1/Pod",
        "v1/Service",
    )
)
"""Kinds whose readiness a refresh looks at, as the official provider does. Others are not ready for a moment
after every change, such as a quota, or for good reasons, such as a claim that no pod uses yet."""

_ALL: Final = "PULUMI_K8S_AWAIT_ALL"
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_REASONS_EVERY: Final = 5.0

Tell = Callable[[str], None]


class NotReadyError(ProviderError):
    """An object exists but is not ready.

    Attributes:
        live: It as last seen.
    """

    def __init__(self, message: str, live: Object) -> None:
        super().__init__(message)
        self.live = live


def until_ready(cluster: Cluster, live: Object, wanted: Object, *, timeout: float, tell: Tell) -> Object:
    """Wait until an object is ready.

    Args:
        cluster: Its cluster.
        live: It as the server answered to the change.
        wanted: The inputs, whose annotations steer the waiting.
        timeout: The user's customTimeouts in seconds; 0: none.
        tell: Takes what is waited for.

    Returns:
        It as last seen.

    Raises:
        NotReadyError: It failed, disappeared or took too long; says what its pods and events say.
    """
    check = _check(wanted, live)
    if check is None:
        return live
    limit = timeout or objects.timeout(wanted) or _LIMITS.get(_key(live), _DEFAULT_LIMIT)
    end, pause, why, asked = time.monotonic() + limit, _FIRST_PAUSE, "", time.monotonic()
    while True:
        found = check(Look(live, cluster))
        if found.ready:
            tell("")
            return live
        if found.failed or time.monotonic() >= end or cluster.cancelled.is_set():
            raise _failure(cluster, live, found.message, None if found.failed else limit)
        if time.monotonic() - asked > _REASONS_EVERY:
            why, asked = next(iter(reasons(cluster, live)), ""), time.monotonic()
        tell(f"{found.message} ({why})" if why else found.message)
        cluster.cancelled.wait(min(pause, max(0.0, end - time.monotonic())))
        pause = min(_LONGEST_PAUSE, pause * 1.5)
        live = _again(cluster, live)


def until_gone(cluster: Cluster, live: Object, limit: float, tell: Tell) -> None:
    """Wait until an object is gone, or another has taken its name.

    Raises:
        NotReadyError: It took too long; names the finalizers that hold it.
    """
    end, pause = time.monotonic() + limit, _FIRST_PAUSE
    identity = (live["apiVersion"], live["kind"], objects.namespace(live), objects.name(live))
    while True:
        found = cluster.get(*identity)
        if found is None or found["metadata"].get("uid") != live["metadata"].get("uid"):
            tell("")
            return
        held = _holders(found)
        if time.monotonic() >= end or cluster.cancelled.is_set():
            message = (
                f"{objects.label(live)} is still there {limit:g} s after its deletion was asked for{held}; "
                "wait longer by customTimeouts, or find out what keeps its controller from letting it go"
            )
            raise NotReadyError(message, found)
        tell(f"waiting for it to go{held}")
        cluster.cancelled.wait(min(pause, max(0.0, end - time.monotonic())))
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def is_ready(cluster: Cluster, live: Object) -> bool:
    """Whether an object is ready now."""
    check = _CHECKS.get(_key(live))
    return check is None or check(Look(live, cluster)).ready


def is_healthy(cluster: Cluster, live: Object) -> bool:
    """Whether a refresh finds nothing wrong with an object."""
    return _key(live) not in _SEEN_ON_REFRESH or is_ready(cluster, live)


def _check(wanted: Object, live: Object) -> Check | None:
    if objects.is_true(wanted, objects.SKIP_AWAIT):
        return None
    asked = objects.annotation(wanted, objects.WAIT_FOR)
    if asked:
        return expressions.parse(asked)
    known = _CHECKS.get(_key(live))
    if known is None and os.environ.get(_ALL) == "true":
        return others.generic
    return known


def _key(live: Object) -> str:
    return f"{live['apiVersion']}/{live['kind']}"


def _again(cluster: Cluster, live: Object) -> Object:
    found = cluster.get(live["apiVersion"], live["kind"], objects.namespace(live), objects.name(live))
    if found is None:
        message = f"{objects.label(live)} was deleted by somebody while it was waited for"
        raise NotReadyError(message, live)
    return found


def _failure(cluster: Cluster, live: Object, message: str, limit: float | None) -> NotReadyError:
    lines = [f"{objects.label(live)}: {message}"]
    if limit is not None:
        over = "cancelled" if cluster.cancelled.is_set() else f"not ready after {limit:g} s"
        lines = [f"{objects.label(live)} is {over}: {message}"]
    lines += [f"  {reason}" for reason in reasons(cluster, live)]
    return NotReadyError("\n".join(lines), live)


def _holders(live: Object) -> str:
    metadata = live["metadata"]
    names = [str(name) for name in metadata.get("finalizers") or ()]
    names += [str(name) for name in (live.get("spec") or {}).get("finalizers") or ()]
    if live["kind"] == "Namespace":
        conditions = (live.get("status") or {}).get("conditions") or ()
        left = [str(item.get("message")) for item in conditions if item.get("status") == "True"]
        return f"; held by {', '.join(names)}: {' '.join(left)}" if left else ""
    return f"; held by the finalizers {', '.join(names)}" if names else ""
