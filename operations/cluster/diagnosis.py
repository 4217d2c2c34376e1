"""What became of the creation of a Kubernetes object whose end nobody saw. Looks, and changes nothing."""

from collections.abc import Mapping
from typing import Any

from operations.cluster.api import ClusterUnreachableError, KubernetesApi
from operations.cluster.connection import Clusters
from operations.cluster.keys import RELEASE, identity, is_ours, is_patch, key_of
from operations.plan import has_unknowns
from operations.recovery.verdict import Finding, Verdict
from operations.state import Resource

_DEPLOYED = "deployed"


def diagnose_object(resource: Resource, clusters: Clusters) -> Finding:
    """Tell what became of the creation of an object, by its group, version, kind, namespace and name.

    Args:
        resource: Its record, without an id.
        clusters: The stack's clusters.
    """
    if is_patch(resource):
        return Finding(resource, Verdict.REPEATABLE, "the next `up` patches again, with the same effect")
    try:
        api = clusters.of(resource)
        if api is None or has_unknowns(resource):
            return Finding(resource, Verdict.ABSENT, "its cluster is in no state, so it cannot exist either")
        look = _release if resource.resource_type == RELEASE else _object
        return look(resource, clusters, api)
    except ClusterUnreachableError as error:
        return Finding(
            resource,
            Verdict.UNDECIDED,
            f"{error}; make the cluster reachable and run again, or, if it is gone for good, "
            f"`operations recover --forget '{resource.urn}'`",
        )


def _object(resource: Resource, clusters: Clusters, api: KubernetesApi) -> Finding:
    key = key_of(resource, clusters.namespace_of(resource))
    if key is None:
        return Finding(resource, Verdict.UNDECIDED, f"its record names no object; look into {api.name}")
    found = api.get(key)
    if found is None:
        return Finding(resource, Verdict.ABSENT, f"cluster {api.name} has no such object")
    if found["metadata"].get("deletionTimestamp"):
        return Finding(resource, Verdict.GOING, f"{identity(found)} is being deleted", identity(found))
    if not is_ours(found):
        return Finding(
            resource,
            Verdict.ABSENT,
            f"{key.kind} {identity(found)} exists and is not Pulumi's: delete it before the next `up`, "
            f"or take it in by `pulumi import {resource.resource_type} {resource.name} {identity(found)}`",
        )
    return Finding(resource, Verdict.ADOPT, "found by its kind, namespace and name", identity(found))


def _release(resource: Resource, clusters: Clusters, api: KubernetesApi) -> Finding:
    name = resource.inputs.get("name")
    namespace = resource.inputs.get("namespace") or clusters.namespace_of(resource)
    # Helm keeps a secret per revision; the newest says where the release is.
    secrets = api.objects("v1", "Secret", str(namespace), f"owner=helm,name={name}")
    status = _newest_status(secrets)
    if status is None:
        return Finding(resource, Verdict.ABSENT, f"cluster {api.name} has no such release")
    if status == _DEPLOYED:
        return Finding(resource, Verdict.ADOPT, "found by its namespace and name", f"{namespace}/{name}")
    return Finding(
        resource,
        Verdict.UNDECIDED,
        f"release {namespace}/{name} is {status}: `helm uninstall {name} --namespace {namespace}`, then run "
        "again",
    )


def _newest_status(secrets: Any) -> str | None:
    newest: Mapping[str, str] = max(
        (each["metadata"].get("labels") or {} for each in secrets),
        key=lambda labels: int(labels.get("version", 0)),
        default={},
    )
    return newest.get("status")
