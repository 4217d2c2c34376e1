"""Operations on clusters and their updates."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.access import AccessEntry
from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import (
    Cluster,
    logging_of,
    make_network,
    merge_vpc_settings,
    remove_network,
    settings_of,
)
from cloudcommerce_sandbox.emulator.extensions.eks.documents import (
    Document,
    Update,
    bad_request,
    in_use,
    not_found,
    now,
    page,
)

ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"

# The kind of update that each member of UpdateClusterConfig makes, and the parameter that shows it. One call
# changes one of them: https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html
_CONFIG_UPDATES = {
    "logging": ("LoggingUpdate", "ClusterLogging"),
    "accessConfig": ("AccessConfigUpdate", "AuthenticationMode"),
    "upgradePolicy": ("UpgradePolicyUpdate", "UpgradePolicy"),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", "ZonalShiftConfig"),
    "computeConfig": ("AutoModeUpdate", "ComputeConfig"),
    "storageConfig": ("AutoModeUpdate", "StorageConfig"),
    "kubernetesNetworkConfig": ("AutoModeUpdate", "KubernetesNetworkConfig"),
    "remoteNetworkConfig": ("RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
    "deletionProtection": ("DeletionProtectionUpdate", "DeletionProtection"),
    "controlPlaneScalingConfig": ("ControlPlaneScalingConfigUpdate", "UpdatedTier"),
    "kubeApiServerConfig": ("ControlPlaneComponentConfigUpdate", "KubeApiServerConfig"),
    "kubeSchedulerConfig": ("ControlPlaneComponentConfigUpdate", "KubeSchedulerConfig"),
    "kubeControllerManagerConfig": ("ControlPlaneComponentConfigUpdate", "KubeControllerManagerConfig"),
}
_ENDPOINT_PARAMETERS = {
    "endpointPublicAccess": "EndpointPublicAccess",
    "endpointPrivateAccess": "EndpointPrivateAccess",
    "publicAccessCidrs": "PublicAccessCidrs",
}
_VPC_PARAMETERS = {"subnetIds": "Subnets", "securityGroupIds": "SecurityGroups"}


class ClusterOperations(Area):
    """Clusters and their updates."""

    def create_cluster(self, parameters: Parameters, creator: str) -> Document:
        """Creates a cluster.

        Args:
            parameters: the call's.
            creator: ARN of the principal that calls.

        Raises:
            ApiError: ResourceInUseException.
        """
        name, token = parameters["name"], parameters.get("clientRequestToken")
        taken = self.clusters.get(name)
        if taken is not None:
            if token and taken.token == token:
                return {"cluster": taken.describe()}
            raise in_use(f"Cluster already exists with name: {name}")
        network = make_network(self.account_id, self.region_name, name, parameters)
        cluster = Cluster(
            name=name,
            arn=self.arn("cluster", name),
            account=self.account_id,
            region=self.region_name,
            version=parameters.get("version") or kubernetes_catalog.default_version().version,
            settings=settings_of(parameters, network),
            tags=dict(parameters.get("tags") or {}),
            creator=creator,
            network=network,
            token=token,
        )
        self.clusters[name] = cluster
        if cluster.creator_is_admin and cluster.authentication_mode != "CONFIG_MAP":
            entry = AccessEntry.make(cluster, creator, "STANDARD")
            entry.associate(kubernetes_catalog.policies()[ADMIN_POLICY], "cluster", [])
        created = cluster.describe()
        if not self.is_followed:
            cluster.activate()
        return {"cluster": created}

    def describe_cluster(self, parameters: Parameters) -> Document:
        """Describes a cluster."""
        return {"cluster": self.find(parameters).describe()}

    def list_clusters(self, parameters: Parameters) -> Document:
        """Lists the names of clusters."""
        names, token = page(self.clusters, parameters)
        return {"clusters": names, "nextToken": token}

    def delete_cluster(self, parameters: Parameters) -> Document:
        """Deletes a cluster; it is gone when its processes are.

        Raises:
            ApiError: ResourceNotFoundException, ResourceInUseException while node groups or Fargate profiles
                are in it, or InvalidRequestException when it is protected.
        """
        cluster = self.find(parameters)
        if cluster.nodegroups:
            raise in_use("Cluster has nodegroups attached")
        if cluster.fargate_profiles:
            raise in_use("Cluster has Fargate profiles attached")
        if cluster.settings["deletionProtection"]:
            raise bad_request(
                f"Cluster '{cluster.name}' has deletion protection; "
                "set deletionProtection to false by UpdateClusterConfig first."
            )
        cluster.status = "DELETING"
        described = cluster.describe()
        if not self.is_followed:
            self.forget_cluster(cluster)
        return {"cluster": described}

    def forget_cluster(self, cluster: Cluster) -> None:
        """Removes the record of a cluster that is gone, with what EKS made for it."""
        remove_network(cluster)
        del self.clusters[cluster.name]

    def update_cluster_config(self, parameters: Parameters) -> Document:
        """Changes one part of a cluster's configuration."""
        cluster = self._cluster_to_update(parameters)
        vpc = parameters.get("resourcesVpcConfig")
        if vpc:
            update = _vpc_update(vpc)
            settings = cluster.settings["resourcesVpcConfig"]
            cluster.settings["resourcesVpcConfig"] = merge_vpc_settings(settings, vpc)
        else:
            update = self._change(cluster, parameters)
            cluster.open_log_group()
        return {"update": self.add_update(cluster, update, at_once=True).describe()}

    @staticmethod
    def _change(cluster: Cluster, parameters: Parameters) -> Update:
        changed = [name for name in _CONFIG_UPDATES if parameters.get(name) is not None]
        shown = {}
        for name in changed:
            value, current = parameters[name], cluster.settings.get(name)
            if name == "logging":
                cluster.settings[name] = logging_of(value, current)
            elif isinstance(current, dict):
                cluster.settings[name] = {**current, **value}
            else:
                cluster.settings[name] = value
            shown[_CONFIG_UPDATES[name][1]] = _text(value)
        return Update(_CONFIG_UPDATES[changed[0]][0] if changed else "ConfigUpdate", shown)

    def update_cluster_version(self, parameters: Parameters) -> Document:
        """Upgrades a cluster to the next Kubernetes version."""
        cluster = self._cluster_to_update(parameters)
        version = parameters["version"]
        shown = {
            "Version": version,
            "PlatformVersion": kubernetes_catalog.versions()[version].platform,
        }
        update = self.add_update(cluster, Update("VersionUpdate", shown), at_once=False)
        started = update.describe()
        cluster.status = "UPDATING"
        if not self.is_followed:
            cluster.activate()
        return {"update": started}

    def associate_encryption_config(self, parameters: Parameters) -> Document:
        """Turns encryption of secrets with a key on; it cannot be turned off or changed."""
        cluster = self._cluster_to_update(parameters)
        if cluster.settings["encryptionConfig"]:
            raise bad_request(f"Encryption is already enabled for cluster {cluster.name}")
        cluster.settings["encryptionConfig"] = parameters["encryptionConfig"]
        shown = {"EncryptionConfig": json.dumps(parameters["encryptionConfig"])}
        update = Update("AssociateEncryptionConfig", shown)
        return {"update": self.add_update(cluster, update, at_once=True).describe()}

    def describe_update(self, parameters: Parameters) -> Document:
        """Describes an update of a cluster, a node group or an add-on."""
        for update in self._updates(parameters):
            if update.id == parameters["updateId"]:
                return {"update": update.describe()}
        raise not_found(f"No update found for ID: {parameters['updateId']}")

    def list_updates(self, parameters: Parameters) -> Document:
        """Lists the identifiers of updates."""
        ids, token = page([update.id for update in self._updates(parameters)], parameters)
        return {"updateIds": ids, "nextToken": token}

    def describe_cluster_versions(self, parameters: Parameters) -> Document:
        """Describes the Kubernetes versions that EKS offers."""
        wanted, status = parameters.get("clusterVersions"), parameters.get("versionStatus")
        today = now().date()
        described = [
            _version(version, today)
            for version in kubernetes_catalog.versions().values()
            if (not wanted or version.version in wanted)
            and (not parameters.get("defaultOnly") or version.is_default)
            and status in (None, version.support(today))
        ]
        return {"clusterVersions": described[::-1]}

    def _updates(self, parameters: Parameters) -> list[Update]:
        owner = (parameters.get("nodegroupName"), parameters.get("addonName"))
        return [u for u in self.find(parameters).updates if (u.nodegroup, u.addon) == owner]

    def _cluster_to_update(self, parameters: Parameters) -> Cluster:
        cluster = self.find_active(parameters)
        if cluster.status == "UPDATING":
            raise in_use(f"Cluster {cluster.name} currently has an update in progress")
        return cluster


def _vpc_update(vpc: Parameters) -> Update:
    for kind, names in (("VpcConfigUpdate", _VPC_PARAMETERS), ("EndpointAccessUpdate", _ENDPOINT_PARAMETERS)):
        shown = {names[name]: _text(vpc[name]) for name in names if vpc.get(name) is not None}
        if shown:
            return Update(kind, shown)
    return Update("EndpointAccessUpdate", {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _version(version: kubernetes_catalog.KubernetesVersion, today: date) -> Document:
    support = version.support(today)
    return {
        "clusterVersion": version.version,
        "clusterType": "eks",
        "defaultPlatformVersion": version.platform,
        "defaultVersion": version.is_default,
        "releaseDate": kubernetes_catalog.midnight(version.released),
        "endOfStandardSupportDate": kubernetes_catalog.midnight(version.standard),
        "endOfExtendedSupportDate": kubernetes_catalog.midnight(version.extended),
        "status": support.lower().replace("_", "-"),
        "versionStatus": support,
        "kubernetesPatchVersion": version.patch,
    }
