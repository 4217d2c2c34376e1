"""Add-ons of a cluster, and those that EKS offers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.configuration import parse_configuration
from cloudcommerce_sandbox.emulator.extensions.eks.documents import (
    Document,
    Update,
    in_use,
    new_id,
    not_found,
    now,
    page,
    present,
)
from cloudcommerce_sandbox.emulator.extensions.eks.pod_identity import Association

_SHOWN_BY_UPDATES = {
    "addonVersion": "AddonVersion",
    "serviceAccountRoleArn": "ServiceAccountRoleArn",
    "resolveConflicts": "ResolveConflicts",
    "configurationValues": "ConfigurationValues",
    "podIdentityAssociations": "PodIdentityAssociations",
}


@dataclass
class Addon:
    """An add-on in a cluster.

    Attributes:
        configuration: configuration values as they were given.
        preserved: whether what it made in the cluster stays when it is deleted.
    """

    name: str
    cluster: str
    arn: str
    version: str
    configuration: str | None
    role_arn: str | None
    namespace: str
    owner: str
    tags: dict[str, str]
    token: str | None
    associations: list[str] = field(default_factory=list)
    status: str = "CREATING"
    issues: list[Document] = field(default_factory=list)
    preserved: bool = False
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @property
    def values(self) -> Document:
        """Its configuration values, parsed."""
        return parse_configuration(self.configuration)

    def report(self, status: str, issues: Iterable[Document]) -> None:
        """Takes what became of it in the cluster: ACTIVE or DEGRADED."""
        self.issues = list(issues)
        if self.status != "DELETING":
            self.status = status

    def describe(self) -> Document:
        """Returns the API's Addon."""
        return present(
            {
                "addonName": self.name,
                "clusterName": self.cluster,
                "status": self.status,
                "addonVersion": self.version,
                "health": {"issues": self.issues},
                "addonArn": self.arn,
                "createdAt": self.created_at,
                "modifiedAt": self.modified_at,
                "serviceAccountRoleArn": self.role_arn,
                "tags": self.tags,
                "configurationValues": self.configuration,
                "podIdentityAssociations": self.associations or None,
                "namespaceConfig": {"namespace": self.namespace},
                "owner": self.owner,
                "publisher": "eks",
            }
        )


class AddonOperations(Area):
    """Add-ons."""

    def create_addon(self, parameters: Parameters) -> Document:
        """Installs an add-on.

        Raises:
            ApiError: ResourceInUseException.
        """
        cluster, name = self.find_active(parameters), parameters["addonName"]
        token, taken = parameters.get("clientRequestToken"), cluster.addons.get(name)
        if taken is not None:
            if token and taken.token == token:
                return {"addon": taken.describe()}
            raise in_use(f"Addon already exists with name {name} and cluster name {cluster.name}")
        kind = kubernetes_catalog.addons()[name]
        addon = Addon(
            name=name,
            cluster=cluster.name,
            arn=self.arn("addon", cluster.name, name, new_id()),
            version=parameters.get("addonVersion") or kind.default(cluster.version),
            configuration=parameters.get("configurationValues"),
            role_arn=parameters.get("serviceAccountRoleArn"),
            namespace=(parameters.get("namespaceConfig") or {}).get("namespace") or kind.namespace,
            owner=kind.owner,
            tags=dict(parameters.get("tags") or {}),
            token=token,
        )
        _associate(cluster, addon, parameters.get("podIdentityAssociations") or ())
        cluster.addons[name] = addon
        created = addon.describe()
        if not self.is_followed:
            addon.status = "ACTIVE"
        return {"addon": created}

    def describe_addon(self, parameters: Parameters) -> Document:
        """Describes an add-on of a cluster."""
        return {"addon": self._addon(parameters).describe()}

    def list_addons(self, parameters: Parameters) -> Document:
        """Lists the add-ons of a cluster."""
        names, token = page(self.find(parameters).addons, parameters)
        return {"addons": names, "nextToken": token}

    def update_addon(self, parameters: Parameters) -> Document:
        """Changes an add-on; what the call leaves out stays, but for the configuration under OVERWRITE."""
        cluster, addon = self.find_active(parameters), self._addon(parameters)
        if addon.status in {"CREATING", "UPDATING", "DELETING"}:
            raise in_use(f"Addon {addon.name} is {addon.status}; wait until it is ACTIVE")
        addon.version = parameters.get("addonVersion") or addon.version
        addon.role_arn = parameters.get("serviceAccountRoleArn") or addon.role_arn
        if parameters.get("configurationValues") is not None:
            addon.configuration = parameters["configurationValues"] or None
        if parameters.get("podIdentityAssociations") is not None:
            _dissociate(cluster, addon)
            _associate(cluster, addon, parameters["podIdentityAssociations"])
        addon.modified_at = now()
        shown = {
            name: value if isinstance(value := parameters[member], str) else json.dumps(value)
            for member, name in _SHOWN_BY_UPDATES.items()
            if parameters.get(member) is not None
        }
        update = Update("AddonUpdate", shown, addon=addon.name)
        if self.is_followed:
            addon.status = "UPDATING"
        self.add_update(cluster, update, at_once=not self.is_followed)
        return {"update": update.describe()}

    def delete_addon(self, parameters: Parameters) -> Document:
        """Deletes an add-on; with `preserve`, what it made in the cluster stays."""
        cluster, addon = self.find(parameters), self._addon(parameters)
        addon.status, addon.preserved = "DELETING", bool(parameters.get("preserve"))
        described = addon.describe()
        if not self.is_followed or addon.preserved:
            self.forget_addon(cluster, addon)
        return {"addon": described}

    def forget_addon(self, cluster: Cluster, addon: Addon) -> None:
        """Removes the record of an add-on that is gone."""
        _dissociate(cluster, addon)
        del cluster.addons[addon.name]

    def describe_addon_versions(self, parameters: Parameters) -> Document:
        """Describes the add-ons that EKS offers."""
        wanted, kubernetes = parameters.get("addonName"), parameters.get("kubernetesVersion")
        kinds = [k for k in kubernetes_catalog.addons().values() if wanted in (None, k.name)]
        described = [_kind(kind, kubernetes) for kind in kinds]
        return {"addons": [document for document in described if document["addonVersions"]]}

    def describe_addon_configuration(self, parameters: Parameters) -> Document:
        """Says what an add-on takes as configuration: any object, the emulator has no schemas."""
        kind = kubernetes_catalog.addons().get(parameters["addonName"])
        if kind is None:
            raise not_found(f"Addon {parameters['addonName']} not found.")
        return {
            "addonName": kind.name,
            "addonVersion": parameters["addonVersion"],
            "configurationSchema": json.dumps({"type": "object"}),
            "podIdentityConfiguration": [
                {
                    "serviceAccount": account,
                    "recommendedManagedPolicies": [
                        f"arn:aws:iam::aws:policy/{policy}" for policy in policies
                    ],
                }
                for account, policies in kind.service_accounts.items()
            ],
        }

    def _addon(self, parameters: Parameters) -> Addon:
        cluster = self.find(parameters)
        addon = cluster.addons.get(parameters["addonName"])
        if addon is None:
            raise not_found(f"No addon: {parameters['addonName']} found in cluster: {cluster.name}")
        return addon


def _associate(cluster: Cluster, addon: Addon, wanted: Iterable[Mapping[str, Any]]) -> None:
    for parameters in wanted:
        association = Association.make(cluster, {**parameters, "namespace": addon.namespace}, addon.arn)
        addon.associations.append(association.arn)


def _dissociate(cluster: Cluster, addon: Addon) -> None:
    addon.associations = []
    for identifier in [i for i, a in cluster.associations.items() if a.owner == addon.arn]:
        del cluster.associations[identifier]


def _kind(kind: kubernetes_catalog.AddonKind, kubernetes: str | None) -> Document:
    clusters: dict[str, list[str]] = {}
    for cluster_version in kubernetes_catalog.versions():
        if kubernetes in (None, cluster_version):
            for version in kind.versions(cluster_version):
                clusters.setdefault(version, []).append(cluster_version)
    return {
        "addonName": kind.name,
        "type": kind.type,
        "owner": kind.owner,
        "publisher": "eks",
        "defaultNamespace": kind.namespace,
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2"],
                "compatibilities": [
                    {
                        "clusterVersion": name,
                        "platformVersions": ["*"],
                        "defaultVersion": kind.default(name) == version,
                    }
                    for name in clusters[version]
                ],
                "requiresConfiguration": False,
                "requiresIamPermissions": bool(kind.service_accounts),
            }
            for version in sorted(clusters, key=kubernetes_catalog.build_order, reverse=True)
        ],
    }
