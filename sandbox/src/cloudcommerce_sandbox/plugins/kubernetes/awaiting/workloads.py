"""When workloads are ready.

What their status means: https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.kubernetes.awaiting.status import READY, Look, Status, waiting


def deployment(look: Look) -> Status:
    """Its latest revision runs alone, with all replicas available."""
    if not look.is_observed:
        return waiting("waiting for the deployment controller")
    wanted = int(look.spec.get("replicas", 1))
    updated = int(look.status.get("updatedReplicas") or 0)
    available = int(look.status.get("availableReplicas") or 0)
    total = int(look.status.get("replicas") or 0)
    if look.spec.get("paused"):
        return READY
    if updated < wanted:
        return waiting(f"{updated} of {wanted} replicas are of the new revision{_stuck(look)}")
    if total > updated:
        return waiting(f"{total - updated} replicas of the old revision are still there")
    if available < wanted:
        return waiting(f"{available} of {wanted} replicas are available{_stuck(look)}")
    return READY


def _stuck(look: Look) -> str:
    for kind, bad in (("ReplicaFailure", "True"), ("Progressing", "False")):
        found = look.condition(kind)
        if found.get("status") == bad:
            return f": {found.get('reason')}: {found.get('message')}"
    return ""


def stateful_set(look: Look) -> Status:
    """All replicas are ready and of the latest revision, as far as its update strategy brings that about."""
    if not look.is_observed:
        return waiting("waiting for the stateful set controller")
    wanted = int(look.spec.get("replicas", 1))
    ready = int(look.status.get("readyReplicas") or 0)
    if ready < wanted:
        return waiting(f"{ready} of {wanted} replicas are ready")
    strategy = look.spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return READY
    held = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    updated = int(look.status.get("updatedReplicas") or 0)
    if look.status.get("currentRevision") != look.status.get("updateRevision") and updated < wanted - held:
        return waiting(f"{updated} of {wanted - held} replicas are of the new revision")
    return READY


def daemon_set(look: Look) -> Status:
    """Every chosen node runs an available pod of the latest revision."""
    if not look.is_observed:
        return waiting("waiting for the daemon set controller")
    wanted = int(look.status.get("desiredNumberScheduled") or 0)
    updated = int(look.status.get("updatedNumberScheduled") or 0)
    available = int(look.status.get("numberAvailable") or 0)
    by_hand = (look.spec.get("updateStrategy") or {}).get("type") == "OnDelete"
    if updated < wanted and not by_hand:
        return waiting(f"{updated} of {wanted} nodes run the new revision")
    if available < wanted:
        return waiting(f"{available} of {wanted} nodes run an available pod")
    return READY


def replication_controller(look: Look) -> Status:
    """All replicas are available."""
    wanted = int(look.spec.get("replicas", 1))
    available = int(look.status.get("availableReplicas") or 0)
    return READY if available >= wanted else waiting(f"{available} of {wanted} replicas are available")


def job(look: Look) -> Status:
    """It is complete; a suspended one has nothing to wait for."""
    if look.holds("Complete") or look.spec.get("suspend"):
        return READY
    failure = look.condition("Failed")
    if failure.get("status") == "True":
        reason = f"the job failed: {failure.get('reason')}: {failure.get('message')}"
        return Status(ready=False, message=reason, failed=True)
    done = int(look.status.get("succeeded") or 0)
    return waiting(f"{done} of {look.spec.get('completions') or 1} pods have succeeded")


def pod(look: Look) -> Status:
    """It is ready, or has done its work."""
    phase = look.status.get("phase")
    if phase == "Succeeded" or look.holds("Ready"):
        return READY
    if phase == "Failed":
        reason = look.status.get("reason") or "its containers ended with errors"
        return Status(ready=False, message=f"the pod failed: {reason}", failed=True)
    scheduled = look.condition("PodScheduled")
    if scheduled.get("status") == "False":
        return waiting(f"not scheduled: {scheduled.get('message')}")
    return waiting(f"the pod is {phase or 'not seen by its node yet'}")
