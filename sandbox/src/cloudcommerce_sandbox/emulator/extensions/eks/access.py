"""Access entries: which IAM principals may enter a cluster, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.documents import (
    Document,
    bad_request,
    in_use,
    new_id,
    not_found,
    now,
    page,
)

if TYPE_CHECKING:
    from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster

STANDARD = "STANDARD"
_NODE_GROUPS = {"EC2_LINUX": ["system:nodes"], "EC2_WINDOWS": ["eks:kube-proxy-windows", "system:nodes"]}
_NODE_USERNAMES = {
    "FARGATE_LINUX": "system:node:{{SessionName}}",
    "HYPERPOD_LINUX": "system:node:{{SessionName}}",
    "HYBRID_LINUX": "system:node:{{SessionName}}",
}
_EC2_USERNAME = "system:node:{{EC2PrivateDNSName}}"


def default_username(principal: str, kind: str) -> str:
    """Returns the username that EKS gives an entry.

    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html: a user's is its ARN, a
    role's that of the session, and a node's the name of the node.
    """
    if kind != STANDARD:
        return _NODE_USERNAMES.get(kind, _EC2_USERNAME)
    account, resource = principal.split(":")[4], principal.split(":", 5)[5]
    if resource.startswith("role/"):
        role = resource.rsplit("/", 1)[-1]
        return f"arn:aws:sts::{account}:assumed-role/{role}/{{{{SessionName}}}}"
    return principal


@dataclass
class Association:
    """A policy on an access entry; no namespaces mean the whole cluster."""

    policy_arn: str
    scope: str
    namespaces: list[str]
    associated_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    def describe(self) -> Document:
        """Returns the API's AssociatedAccessPolicy."""
        return {
            "policyArn": self.policy_arn,
            "accessScope": {"type": self.scope, "namespaces": self.namespaces},
            "associatedAt": self.associated_at,
            "modifiedAt": self.modified_at,
        }


@dataclass
class AccessEntry:
    """One principal's entry."""

    cluster: str
    principal: str
    type: str
    arn: str
    username: str
    groups: list[str]
    tags: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    policies: dict[str, Association] = field(default_factory=dict)
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @classmethod
    def make(
        cls, cluster: Cluster, principal: str, kind: str, parameters: Parameters | None = None
    ) -> AccessEntry:
        """Makes an entry and puts it into its cluster."""
        given: Any = parameters or {}
        account, resource = principal.split(":")[4], principal.split(":", 5)[5]
        sort, _, name = resource.partition("/")
        entry = cls(
            cluster=cluster.name,
            principal=principal,
            type=kind,
            arn=f"arn:aws:eks:{cluster.region}:{cluster.account}:access-entry/"
            f"{cluster.name}/{sort}/{account}/{name.rsplit('/', 1)[-1]}/{new_id()}",
            username=given.get("username") or default_username(principal, kind),
            groups=list(given.get("kubernetesGroups") or _NODE_GROUPS.get(kind, ())),
            tags=dict(given.get("tags") or {}),
            token=given.get("clientRequestToken"),
        )
        cluster.access_entries[principal] = entry
        return entry

    def associate(self, policy_arn: str, scope: str, namespaces: list[str]) -> Association:
        """Puts a policy on the entry, or changes where it holds."""
        association = self.policies.get(policy_arn)
        if association is None:
            association = self.policies[policy_arn] = Association(policy_arn, scope, namespaces)
        association.scope, association.namespaces = scope, namespaces
        association.modified_at = now()
        return association

    def describe(self) -> Document:
        """Returns the API's AccessEntry."""
        return {
            "clusterName": self.cluster,
            "principalArn": self.principal,
            "kubernetesGroups": self.groups,
            "accessEntryArn": self.arn,
            "createdAt": self.created_at,
            "modifiedAt": self.modified_at,
            "tags": self.tags,
            "username": self.username,
            "type": self.type,
        }


class AccessOperations(Area):
    """Access entries and the policies on them."""

    def create_access_entry(self, parameters: Parameters) -> Document:
        """Creates an access entry."""
        cluster = self._find_with_api(parameters)
        principal, token = parameters["principalArn"], parameters.get("clientRequestToken")
        taken = cluster.access_entries.get(principal)
        if taken is not None:
            if token and taken.token == token:
                return {"accessEntry": taken.describe()}
            raise in_use("The specified access entry resource is already in use on this cluster.")
        kind = parameters.get("type") or STANDARD
        return {"accessEntry": AccessEntry.make(cluster, principal, kind, parameters).describe()}

    def describe_access_entry(self, parameters: Parameters) -> Document:
        """Describes an access entry."""
        return {"accessEntry": self._entry(parameters).describe()}

    def list_access_entries(self, parameters: Parameters) -> Document:
        """Lists the principals with an entry."""
        entries = self._find_with_api(parameters).access_entries
        policy = parameters.get("associatedPolicyArn")
        names, token = page(
            [arn for arn, e in entries.items() if not policy or policy in e.policies], parameters
        )
        return {"accessEntries": names, "nextToken": token}

    def update_access_entry(self, parameters: Parameters) -> Document:
        """Changes the groups or the username of an entry."""
        entry = self._entry(parameters)
        if parameters.get("kubernetesGroups") is not None:
            entry.groups = list(parameters["kubernetesGroups"])
        if parameters.get("username"):
            entry.username = parameters["username"]
        entry.modified_at = now()
        return {"accessEntry": entry.describe()}

    def delete_access_entry(self, parameters: Parameters) -> Document:
        """Deletes an access entry."""
        entry = self._entry(parameters)
        del self.clusters[entry.cluster].access_entries[entry.principal]
        return {}

    def associate_access_policy(self, parameters: Parameters) -> Document:
        """Puts an access policy on an entry."""
        entry, scope = self._entry(parameters), parameters["accessScope"]
        association = entry.associate(
            parameters["policyArn"], scope.get("type", "cluster"), list(scope.get("namespaces") or ())
        )
        return {**self._owner(entry), "associatedAccessPolicy": association.describe()}

    def disassociate_access_policy(self, parameters: Parameters) -> Document:
        """Takes an access policy from an entry."""
        entry = self._entry(parameters)
        if entry.policies.pop(parameters["policyArn"], None) is None:
            raise not_found(f"The policy {parameters['policyArn']} is not associated with {entry.principal}.")
        return {}

    def list_associated_access_policies(self, parameters: Parameters) -> Document:
        """Lists the access policies on an entry."""
        entry = self._entry(parameters)
        arns, token = page(entry.policies, parameters)
        policies = [entry.policies[arn].describe() for arn in arns]
        return {**self._owner(entry), "associatedAccessPolicies": policies, "nextToken": token}

    def list_access_policies(self, parameters: Parameters) -> Document:
        """Lists the predefined access policies."""
        known = kubernetes_catalog.policies()
        names, token = page(known, parameters)
        return {"accessPolicies": [{"name": name, "arn": known[name]} for name in names], "nextToken": token}

    def _entry(self, parameters: Parameters) -> AccessEntry:
        entry = self._find_with_api(parameters).access_entries.get(parameters["principalArn"])
        if entry is None:
            raise not_found(
                f"The specified principalArn could not be found. You can view your principalArns with "
                f"'aws eks list-access-entries --cluster-name {parameters['clusterName']}'."
            )
        return entry

    def _find_with_api(self, parameters: Parameters) -> Cluster:
        cluster = self.find(parameters)
        if cluster.authentication_mode == "CONFIG_MAP":
            raise bad_request(
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] "
                "to perform this operation."
            )
        return cluster

    @staticmethod
    def _owner(entry: AccessEntry) -> dict[str, Any]:
        return {"clusterName": entry.cluster, "principalArn": entry.principal}
