"""Which changes only a new object can bring about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.configuration import Settings
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError

_IDENTITY: Final = ("kind", "metadata.name", "metadata.namespace")

_VOLUME_SOURCES: Final = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]

_CONTAINER: Final = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]

_POD: Final = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]

_FIELDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "PersistentVolume"): tuple(f"spec.{name}" for name in _VOLUME_SOURCES),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): (
        *(f"spec.{name}" for name in _POD),
        *(f"spec.{part}[].{name}" for part in ("containers", "initContainers") for name in _CONTAINER),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
}
"""Fields whose change the official provider answers with a replacement, by API group and kind; other fields
that the API server calls immutable are found by asking it."""

_SAYS_IMMUTABLE: Final = re.compile(
    r"immutable|updates to \S+ spec for fields other than|may not change", re.I
)
"""How API servers word it: https://github.com/kubernetes/apimachinery, `FieldImmutableErrorMsg`, and the
validation of StatefulSets and Pods."""

_INDEX: Final = re.compile(r"\[\d+\]")


def replacing_fields(wanted: Mapping[str, Any], settings: Settings, *, patch: bool) -> tuple[str, ...]:
    """Return the paths of an object's fields whose change replaces it; `[]` stands for any index.

    Args:
        wanted: The object.
        settings: Whether data of Secrets and ConfigMaps may change in place.
        patch: It is a patch: only its identity matters.
    """
    if patch:
        return _IDENTITY
    group = str(wanted.get("apiVersion") or "").rpartition("/")[0]
    kind = str(wanted.get("kind"))
    fields = (*_IDENTITY, *_FIELDS.get((group, kind), ()))
    frozen = wanted.get("immutable") is True
    if (group, kind) == ("", "Secret") and (frozen or not settings.secret_mutable):
        return (*fields, "data", "stringData")
    if (group, kind) == ("", "ConfigMap") and (frozen or not settings.config_map_mutable):
        return (*fields, "data", "binaryData")
    return fields


def replaces(path: str, fields: tuple[str, ...]) -> bool:
    """Whether a changed path is one of the fields, inside one, or holds one."""
    plain = _INDEX.sub("[]", path)
    return any(_within(plain, field) or _within(field, plain) for field in fields)


def refused_fields(error: ApiError) -> tuple[str, ...]:
    """Return the fields that the API server calls immutable; none when it says something else."""
    return tuple(
        _INDEX.sub("[]", str(cause.get("field") or ""))
        for cause in error.causes
        if _SAYS_IMMUTABLE.search(str(cause.get("message") or ""))
    )


def may_replace_in_place(wanted: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether the new object has to wait for the end of the old one: it takes the same name."""
    return (
        bool(objects.name(wanted))
        and not objects.is_true(wanted, objects.AUTONAMED)
        and objects.id_of(wanted) == objects.id_of(old)
    )


def _within(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))
