"""What each group may do in the cluster. Pure data and functions.

Rules only ever add, so "everything but secrets" is a list of everything else. `get` on `pods/exec`,
`pods/attach` and on any `proxy` opens a connection that can do more than read, and is in no list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "patch", "update")


class Group(StrEnum):
    """The groups of the cluster, which access entries put people and machines into."""

    PLATFORM = "cloudcommerce:platform"
    DEVELOPER = "cloudcommerce:developer"
    AUDITOR = "cloudcommerce:auditor"
    CI = "cloudcommerce:ci"


class DeveloperRights(StrEnum):
    """How much developers change by hand.

    Whoever may start a pod in a namespace may mount every secret of it, so `operate` starts none.
    """

    OPERATE = "operate"
    DEPLOY = "deploy"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a role: verbs on resources of API groups."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


# Of the core group everything that can be read, but no secrets.
_CORE = (
    "configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims",
    "persistentvolumes", "pods", "pods/log", "pods/status", "podtemplates", "replicationcontrollers",
    "resourcequotas", "serviceaccounts", "services",
)  # fmt: skip

# Of these nothing holds a secret.
_OPEN_GROUPS = (
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling",
    "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "flowcontrol.apiserver.k8s.io", "metrics.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
    "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "snapshot.storage.k8s.io",
    "storage.k8s.io",
)  # fmt: skip

AUDITOR: Sequence[Rule] = (
    Rule(groups=("",), resources=_CORE, verbs=_READ),
    Rule(groups=_OPEN_GROUPS, resources=("*",), verbs=_READ),
)
"""Reads everything but secrets, everywhere."""

_LOOK: Sequence[Rule] = (
    Rule(
        groups=("",),
        resources=(
            "configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/log",
            "pods/status", "resourcequotas", "serviceaccounts", "services",
        ),
        verbs=_READ,
    ),
    Rule(
        groups=("apps", "autoscaling", "batch", "discovery.k8s.io", "events.k8s.io", "metrics.k8s.io",
                "networking.k8s.io", "policy"),
        resources=("*",),
        verbs=_READ,
    ),
)  # fmt: skip

_OPERATE: Sequence[Rule] = (
    *_LOOK,
    Rule(groups=("",), resources=("pods",), verbs=("delete",)),
    Rule(groups=("",), resources=("pods/eviction",), verbs=("create",)),
    Rule(
        groups=("apps",),
        resources=("deployments/scale", "statefulsets/scale"),
        verbs=("get", "patch", "update"),
    ),
)  # fmt: skip

RELEASE: Sequence[Rule] = (
    *_LOOK,
    Rule(
        groups=("",),
        resources=("configmaps", "persistentvolumeclaims", "pods", "services"),
        verbs=_WRITE,
    ),
    Rule(groups=("",), resources=("pods/eviction",), verbs=("create",)),
    Rule(
        groups=("apps",),
        resources=("deployments", "deployments/scale", "statefulsets", "statefulsets/scale"),
        verbs=(*_READ, *_WRITE),
    ),
    Rule(groups=("batch",), resources=("cronjobs", "jobs"), verbs=_WRITE),
    Rule(groups=("autoscaling",), resources=("horizontalpodautoscalers",), verbs=_WRITE),
    Rule(groups=("policy",), resources=("poddisruptionbudgets",), verbs=_WRITE),
)
"""Brings a release into a namespace: workloads and what belongs to them, neither secrets nor guard rails."""

CI: Sequence[Rule] = (
    *AUDITOR,
    # A namespace takes its secrets along, so it is deleted by who may reach these.
    Rule(groups=("",), resources=("namespaces",), verbs=("create", "patch", "update")),
    Rule(groups=("",), resources=("limitranges", "resourcequotas", "serviceaccounts"), verbs=_WRITE),
    Rule(groups=("networking.k8s.io",), resources=("networkpolicies",), verbs=_WRITE),
    Rule(groups=("storage.k8s.io",), resources=("storageclasses",), verbs=_WRITE),
    # Without `escalate` and `bind` the API server lets it hand on nothing that it does not hold itself.
    Rule(
        groups=("rbac.authorization.k8s.io",),
        resources=("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
        verbs=_WRITE,
    ),
)
"""Previews and updates what the stack registers: a preview is a dry run, which asks for the same rights."""

_DEVELOPER: Mapping[DeveloperRights, Sequence[Rule]] = {
    DeveloperRights.OPERATE: _OPERATE,
    DeveloperRights.DEPLOY: RELEASE,
}


def developer(rights: DeveloperRights) -> Sequence[Rule]:
    """What developers may do in the namespaces of the applications."""
    return _DEVELOPER[rights]
