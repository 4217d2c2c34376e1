"""EKS access policies as RBAC: a ClusterRole for each policy, and bindings for the groups that stand for it.

On EKS an authorizer of its own knows the policies. Here the token webhook (the module `authentication`) puts
whoever has a policy into a group of its name, and the bindings made here give the group its rights.
"""

import logging
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.controllers.owned import Manifest, Owned
from cloudcommerce_sandbox.kubernetes.model import AccessPolicy, ClusterSpec, Report

_log = logging.getLogger(__name__)

_RBAC = "rbac.authorization.k8s.io/v1"
_RBAC_GROUP = "rbac.authorization.k8s.io"
_PREFIX = "eks:access-policy:"
_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")


def policy_group(policy: str, namespace: str = "") -> str:
    """Return the group that stands for an access policy.

    Args:
        policy: Its name, such as `AmazonEKSViewPolicy`.
        namespace: Where it holds; empty for the whole cluster.
    """
    return f"{_PREFIX}{policy}:{namespace}" if namespace else f"{_PREFIX}{policy}"


def known_policies() -> frozenset[str]:
    """Return the names of the access policies that the sandbox gives rights for."""
    return frozenset(_catalogue()["policies"])


class AccessController:
    """Keeps the roles and bindings of access policies."""

    def __init__(self) -> None:
        self._warned: set[str] = set()
        self._owned = Owned(
            "access", [(_RBAC, "ClusterRole"), (_RBAC, "ClusterRoleBinding"), (_RBAC, "RoleBinding")]
        )

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:
        """Make the roles and bindings those of the cluster's access entries.

        A policy that the sandbox does not know gives no right, which the log says. One that holds in a
        namespace that does not exist yet takes effect when it does.

        Args:
            cluster: The cluster as it should be.
            api: The running cluster.
        """
        if cluster.local:
            return Report()
        policies = {policy for entry in cluster.access_entries for policy in entry.policies}
        if cluster.creator_is_admin:
            policies.add(AccessPolicy(name="AmazonEKSClusterAdminPolicy", namespaces=()))
        namespaces = {item["metadata"]["name"] for item in api.list("v1", "Namespace")}
        for name in sorted({policy.name for policy in policies} - known_policies() - self._warned):
            _log.warning("The sandbox gives no rights for the access policy %s.", name)
            self._warned.add(name)
        self._owned.converge(api, manifests(policies, namespaces))
        return Report()


def manifests(policies: set[AccessPolicy], namespaces: set[str]) -> list[Manifest]:
    """Return the roles and bindings that realize access policies.

    Args:
        policies: The policies in use.
        namespaces: The namespaces that exist.
    """
    known = {policy for policy in policies if policy.name in known_policies()}
    roles = [_role(name) for name in sorted({policy.name for policy in known})]
    everywhere = {policy.name for policy in known if not policy.namespaces}
    inside = {(policy.name, namespace) for policy in known for namespace in policy.namespaces}
    return [
        *roles,
        *(_binding(name) for name in sorted(everywhere)),
        *(_binding(name, namespace) for name, namespace in sorted(inside) if namespace in namespaces),
    ]


def _role(policy: str) -> Manifest:
    return {
        "apiVersion": _RBAC,
        "kind": "ClusterRole",
        "metadata": {"name": policy_group(policy)},
        "rules": _rules(policy),
    }


def _binding(policy: str, namespace: str = "") -> Manifest:
    group = {"apiGroup": _RBAC_GROUP, "kind": "Group", "name": policy_group(policy, namespace)}
    metadata = {"name": policy_group(policy)}
    return {
        "apiVersion": _RBAC,
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {**metadata, "namespace": namespace} if namespace else metadata,
        "roleRef": {"apiGroup": _RBAC_GROUP, "kind": "ClusterRole", "name": policy_group(policy)},
        "subjects": [group],
    }


def _rules(policy: str) -> list[dict[str, list[str]]]:
    catalogue = _catalogue()
    return [_rule(rule) for part in catalogue["policies"][policy] for rule in catalogue["rules"][part]]


def _rule(rule: dict[str, Any]) -> dict[str, list[str]]:
    verbs = rule["verbs"]
    result = {"verbs": list({"read": _READ, "write": _WRITE}[verbs] if isinstance(verbs, str) else verbs)}
    if "nonResourceURLs" in rule:
        return {**result, "nonResourceURLs": rule["nonResourceURLs"]}
    return {**result, "apiGroups": rule["groups"], "resources": rule["resources"]}


@cache
def _catalogue() -> dict[str, Any]:
    text = files(__package__).joinpath("access_policies.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content
