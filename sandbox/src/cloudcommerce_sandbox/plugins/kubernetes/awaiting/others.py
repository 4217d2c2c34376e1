"""When objects other than workloads are ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.status import READY, Look, Status, waiting

_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret


def service(look: Look) -> Status:
    """It has a ready endpoint, and its address when it is a load balancer.

    One that is headless, has no selector or is an alias waits for no endpoint.
    """
    kind = look.spec.get("type", "ClusterIP")
    if kind == "LoadBalancer" and not (look.status.get("loadBalancer") or {}).get("ingress"):
        return waiting("no load balancer has been assigned")
    if kind == "ExternalName" or look.spec.get("clusterIP") == "None" or not look.spec.get("selector"):
        return READY
    if not _has_endpoint(look, objects.name(look.live)):
        return waiting("no ready pod matches its selector")
    return READY


def ingress(look: Look) -> Status:
    """Every Service it names has a ready endpoint, and it has an address."""
    for name in sorted(set(_backends(look.spec))):
        found = look.cluster.get("v1", "Service", objects.namespace(look.live), name)
        if found is None:
            return waiting(f"its Service {name} does not exist")
        if (found.get("spec") or {}).get("type") != "ExternalName" and not _has_endpoint(look, name):
            return waiting(f"its Service {name} has no ready endpoint")
    if not (look.status.get("loadBalancer") or {}).get("ingress"):
        return waiting("no controller has given it an address")
    return READY


def _backends(spec: Mapping[str, Any]) -> Iterator[str]:
    backends = [spec.get("defaultBackend")]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") for path in (rule.get("http") or {}).get("paths") or ()]
    for backend in backends:
        name = ((backend or {}).get("service") or {}).get("name")
        if name:
            yield str(name)


def _has_endpoint(look: Look, name: str) -> bool:
    slices = look.cluster.find_all(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        objects.namespace(look.live),
        labels=f"kubernetes.io/service-name={name}",
    )
    return any(
        (endpoint.get("conditions") or {}).get("ready") is not False
        for found in slices
        for endpoint in found.get("endpoints") or ()
    )


def volume_claim(look: Look) -> Status:
    """It is bound, or its class binds it only when a pod uses it."""
    if look.status.get("phase") == "Bound":
        return READY
    name = look.spec.get("storageClassName")
    found = look.cluster.get("storage.k8s.io/v1", "StorageClass", "", name) if name else None
    if found and found.get("volumeBindingMode") == "WaitForFirstConsumer":
        return READY
    if name and found is None:
        return waiting(f"its storage class {name} does not exist")
    return waiting(f"it is {look.status.get('phase') or 'not seen by the volume controller yet'}")


def volume(look: Look) -> Status:
    """It is available or bound."""
    phase = look.status.get("phase")
    return READY if phase in ("Available", "Bound") else waiting(f"it is {phase or 'not seen yet'}")


def resource_quota(look: Look) -> Status:
    """The quota controller has taken its limits up."""
    if look.status.get("hard") == look.spec.get("hard"):
        return READY
    return waiting("waiting for the quota controller")


def secret(look: Look) -> Status:
    """A token for a service account has been filled in."""
    if look.live.get("type") != _TOKEN or look.live.get("data"):
        return READY
    return waiting("waiting for the token of the service account")


def definition(look: Look) -> Status:
    """The API server serves the custom resources."""
    refused = look.condition("NamesAccepted")
    if refused.get("status") == "False":
        return Status(ready=False, message=f"its names are taken: {refused.get('message')}", failed=True)
    return READY if look.holds("Established") else waiting("waiting for the API server to serve it")


def api_service(look: Look) -> Status:
    """The API server reaches the extension."""
    if look.holds("Available"):
        return READY
    return waiting(f"not available: {look.condition('Available').get('message') or 'not checked yet'}")


def generic(look: Look) -> Status:
    """It says by its conditions that it is ready, or has none that say otherwise.

    See https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
    """
    seen = look.status.get("observedGeneration")
    if isinstance(seen, int) and seen < look.live["metadata"].get("generation", 0):
        return waiting("waiting for its controller")
    for kind, bad in (("Reconciling", "True"), ("Stalled", "True"), ("Ready", "False"), ("Ready", "Unknown")):
        found = look.condition(kind)
        if found.get("status") == bad:
            return waiting(f"{kind}={bad}: {found.get('message') or found.get('reason') or ''}")
    return READY
