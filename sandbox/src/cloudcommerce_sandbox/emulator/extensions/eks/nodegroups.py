"""Operations on managed node groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.access import AccessEntry
from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.documents import (
    Document,
    Update,
    bad_request,
    in_use,
    not_found,
    now,
    page,
    present,
)
from cloudcommerce_sandbox.emulator.extensions.eks.launch import (
    CUSTOM_AMI,
    DEFAULT_DISK_GIB,
    DEFAULT_INSTANCE_TYPE,
    launch_data,
    template_version,
)
from cloudcommerce_sandbox.emulator.extensions.eks.nodegroup import Nodegroup

_DEFAULT_SIZES = {"minSize": 1, "maxSize": 2, "desiredSize": 2}
_DEFAULT_AMI = "AL2023_x86_64_STANDARD"
_SIZE_PARAMETERS = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}


class NodegroupOperations(Area):
    """Managed node groups."""

    def create_nodegroup(self, parameters: Parameters) -> Document:
        """Creates a node group with its Auto Scaling group and instances.

        Raises:
            ApiError: ResourceInUseException.
        """
        cluster, name = self.find_active(parameters), parameters["nodegroupName"]
        token, taken = parameters.get("clientRequestToken"), cluster.nodegroups.get(name)
        if taken is not None:
            if token and taken.token == token:
                return {"nodegroup": taken.describe()}
            raise in_use(f"NodeGroup already exists with name {name} and cluster name {cluster.name}")
        settings = self._settings(cluster, parameters)
        group = Nodegroup(name, cluster, settings, dict(parameters.get("tags") or {}), token)
        group.launch({**_DEFAULT_SIZES, **(parameters.get("scalingConfig") or {})})
        cluster.nodegroups[name] = group
        self._admit_nodes(cluster, settings["nodeRole"])
        created = group.describe()
        self._settle(group)
        return {"nodegroup": created}

    def describe_nodegroup(self, parameters: Parameters) -> Document:
        """Describes a node group."""
        return {"nodegroup": self._nodegroup(parameters).describe()}

    def list_nodegroups(self, parameters: Parameters) -> Document:
        """Lists the names of a cluster's node groups."""
        names, token = page(self.find(parameters).nodegroups, parameters)
        return {"nodegroups": names, "nextToken": token}

    def update_nodegroup_config(self, parameters: Parameters) -> Document:
        """Changes sizes, labels, taints, update limits or repair of a node group."""
        group = self._nodegroup_to_update(parameters)
        shown = _apply_labels(group, parameters.get("labels") or {})
        shown |= _apply_taints(group, parameters.get("taints") or {})
        for member in ("updateConfig", "nodeRepairConfig"):
            if parameters.get(member) is not None:
                group.settings[member] = parameters[member]
        shown |= _shown_config(parameters)
        sizes = parameters.get("scalingConfig") or {}
        shown |= {_SIZE_PARAMETERS[name]: str(value) for name, value in sizes.items()}
        group.modified_at = now()
        update = self.add_update(
            group.cluster, Update("ConfigUpdate", shown, nodegroup=group.name), at_once=False
        )
        group.resize(sizes)
        self._settle(group)
        return {"update": update.describe()}

    def update_nodegroup_version(self, parameters: Parameters) -> Document:
        """Replaces the nodes by ones of another version or launch template."""
        group = self._nodegroup_to_update(parameters)
        settings, shown = group.settings, {}
        template = parameters.get("launchTemplate")
        if template:
            settings["launchTemplate"] = self._template(template)
            shown["LaunchTemplateVersion"] = settings["launchTemplate"]["version"]
        if settings["amiType"] != CUSTOM_AMI:
            default = settings["version"] if template else group.cluster.version
            version = parameters.get("version") or default
            settings["version"] = version
            settings["releaseVersion"] = parameters.get("releaseVersion") or _release(version)
            shown |= {"Version": version, "ReleaseVersion": settings["releaseVersion"]}
        group.modified_at = now()
        update = self.add_update(
            group.cluster, Update("VersionUpdate", shown, nodegroup=group.name), at_once=False
        )
        group.relaunch()
        self._settle(group)
        return {"update": update.describe()}

    def delete_nodegroup(self, parameters: Parameters) -> Document:
        """Terminates the nodes; the record goes when their follower has seen it."""
        group = self._nodegroup(parameters)
        group.is_deleting = True
        group.remove()
        described = group.describe()
        if not self.is_followed:
            self.forget_nodegroup(group)
        return {"nodegroup": described}

    def forget_nodegroup(self, group: Nodegroup) -> None:
        """Removes the record of a node group that is gone."""
        cluster = group.cluster
        del cluster.nodegroups[group.name]
        cluster.updates = [update for update in cluster.updates if update.nodegroup != group.name]

    def _settle(self, group: Nodegroup) -> None:
        if self.is_followed:
            group.settle()
        else:
            group.mark_all_ready()

    def _settings(self, cluster: Cluster, parameters: Parameters) -> Document:
        reference = parameters.get("launchTemplate")
        data = launch_data(self.account_id, self.region_name, reference)
        custom = bool(data.get("ImageId"))
        version = None if custom else parameters.get("version") or cluster.version
        types = parameters.get("instanceTypes")
        return present(
            {
                "subnets": parameters["subnets"],
                "nodeRole": parameters["nodeRole"],
                "amiType": CUSTOM_AMI if custom else parameters.get("amiType") or _DEFAULT_AMI,
                "capacityType": parameters.get("capacityType") or "ON_DEMAND",
                "instanceTypes": types or (None if data.get("InstanceType") else [DEFAULT_INSTANCE_TYPE]),
                "diskSize": None if reference else parameters.get("diskSize") or DEFAULT_DISK_GIB,
                "remoteAccess": parameters.get("remoteAccess"),
                "labels": dict(parameters.get("labels") or {}),
                "taints": list(parameters.get("taints") or ()),
                "updateConfig": parameters.get("updateConfig") or {"maxUnavailable": 1},
                "nodeRepairConfig": parameters.get("nodeRepairConfig") or {"enabled": False},
                "warmPoolConfig": parameters.get("warmPoolConfig"),
                "launchTemplate": self._template(reference) if reference else None,
                "version": version,
                "releaseVersion": parameters.get("releaseVersion")
                or (_release(version) if version else None),
            }
        )

    def _template(self, reference: Mapping[str, str]) -> dict[str, str]:
        version = template_version(self.account_id, self.region_name, reference)
        template = version.template
        return {"id": template.id, "name": template.name, "version": str(version.number)}

    @staticmethod
    def _admit_nodes(cluster: Cluster, role: str) -> None:
        # https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html: EKS makes the entry
        # of a managed node group's role itself, and leaves it when the node group goes.
        if cluster.authentication_mode != "CONFIG_MAP" and role not in cluster.access_entries:
            AccessEntry.make(cluster, role, "EC2_LINUX")

    def _nodegroup(self, parameters: Parameters) -> Nodegroup:
        group = self.find(parameters).nodegroups.get(parameters["nodegroupName"])
        if group is None:
            raise not_found(f"No node group found for name: {parameters['nodegroupName']}.")
        return group

    def _nodegroup_to_update(self, parameters: Parameters) -> Nodegroup:
        self.find_active(parameters)
        group = self._nodegroup(parameters)
        if group.is_deleting:
            raise bad_request(f"Nodegroup {group.name} is being deleted")
        if not group.was_active or any(update.is_open for update in group.updates):
            raise in_use(f"Nodegroup {group.name} is {group.status}; wait until it is ACTIVE")
        return group


def _release(version: str) -> str:
    return kubernetes_catalog.versions()[version].ami


def _shown_config(parameters: Parameters) -> dict[str, str]:
    shown = {}
    config = parameters.get("updateConfig") or {}
    for member, name in (
        ("maxUnavailable", "MaxUnavailable"),
        ("maxUnavailablePercentage", "MaxUnavailablePercentage"),
    ):
        if config.get(member) is not None:
            shown[name] = str(config[member])
    if parameters.get("nodeRepairConfig") is not None:
        shown["NodeRepairConfig"] = json.dumps(parameters["nodeRepairConfig"])
    return shown


def _apply_labels(group: Nodegroup, change: Mapping[str, Any]) -> dict[str, str]:
    added, removed = change.get("addOrUpdateLabels"), change.get("removeLabels")
    group.settings["labels"].update(added or {})
    for key in removed or ():
        group.settings["labels"].pop(key, None)
    return _shown({"LabelsToAdd": added, "LabelsToRemove": removed})


def _apply_taints(group: Nodegroup, change: Mapping[str, Any]) -> dict[str, str]:
    added, removed = change.get("addOrUpdateTaints"), change.get("removeTaints")
    replaced = _identities([*(added or ()), *(removed or ())])
    kept = [taint for taint in group.settings["taints"] if not _identities([taint]) & replaced]
    group.settings["taints"] = [*kept, *(added or ())]
    return _shown({"TaintsToAdd": added, "TaintsToRemove": removed})


def _identities(taints: Iterable[Mapping[str, str]]) -> set[tuple[str | None, str | None]]:
    return {(taint.get("key"), taint.get("effect")) for taint in taints}


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items() if value}
