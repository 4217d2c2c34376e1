"""From a stack's state to its clusters: each Kubernetes provider in it says how its cluster is reached."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import kubernetes.client
import kubernetes.config
import yaml

from operations.cluster.api import ClusterUnreachableError, KubernetesApi
from operations.cluster.keys import key_of
from operations.state import Deployment, Resource

PROVIDER_TYPE = "pulumi:providers:kubernetes"

_CLUSTER_TYPE = "aws:eks/cluster:Cluster"
_PLAINTEXT = "plaintext"
_RETRIES = 1


@dataclass
class Clusters:
    """The clusters of a stack.

    Attributes:
        deployment: The state.
        reveal: Exports the state with its secrets in plain text; asked only when a kubeconfig is secret.
    """

    deployment: Deployment
    reveal: Callable[[], Deployment]
    _apis: dict[str, KubernetesApi | ClusterUnreachableError] = field(default_factory=dict)

    def all(self) -> Iterator[KubernetesApi]:
        """Yield each cluster once, however many providers lead to it.

        Raises:
            ClusterUnreachableError: There is no telling how one is reached.
        """
        seen = set()
        for provider in self._providers.values():
            api = self._api(provider)
            if api.address not in seen:
                seen.add(api.address)
                yield api

    def is_own(self, api: KubernetesApi) -> bool:
        """Tell whether the stack made a cluster itself, so that everything in it goes with the stack.

        In a cluster that somebody else made, such as that of staging, others have claims and services too.
        """
        endpoints = (
            each.outputs.get("endpoint")
            for each in self.deployment.cloud_resources
            if each.resource_type == _CLUSTER_TYPE
        )
        return any(isinstance(each, str) and _address(each) == _address(api.address) for each in endpoints)

    def of(self, resource: Resource) -> KubernetesApi | None:
        """Return the cluster in which a resource stands; None when its provider is not in the state.

        Raises:
            ClusterUnreachableError: There is no telling how it is reached.
        """
        provider = self._providers.get(str(resource.record.get("provider", "")).rpartition("::")[0])
        return self._api(provider) if provider else None

    def namespace_of(self, resource: Resource) -> str:
        """Return the namespace that a resource's provider gives to objects that name none."""
        provider = self._providers.get(str(resource.record.get("provider", "")).rpartition("::")[0])
        named = provider.inputs.get("namespace") if provider else None
        return named if isinstance(named, str) and named else "default"

    def object_of(self, resource_type: str, identity: str) -> Mapping[str, Any] | None:
        """Return the live object behind a resource of the state.

        Args:
            resource_type: Pulumi's type.
            identity: Pulumi's id, `NAMESPACE/NAME` or the name alone.

        Returns:
            The object; None when the state or the cluster has none.

        Raises:
            ClusterUnreachableError: The cluster does not answer.
        """
        for resource in self.deployment.cloud_resources:
            if resource.resource_type == resource_type and resource.id == identity:
                api, key = self.of(resource), key_of(resource, self.namespace_of(resource))
                return api.get(key) if api and key else None
        return None

    @property
    def _providers(self) -> Mapping[str, Resource]:
        return {each.urn: each for each in self.deployment.resources if each.resource_type == PROVIDER_TYPE}

    def _api(self, provider: Resource) -> KubernetesApi:
        if provider.urn not in self._apis:
            try:
                self._apis[provider.urn] = KubernetesApi(provider.name, self._connect(provider))
            except ClusterUnreachableError as error:
                self._apis[provider.urn] = error
        found = self._apis[provider.urn]
        if isinstance(found, ClusterUnreachableError):
            raise found
        return found

    def _connect(self, provider: Resource) -> kubernetes.client.ApiClient:
        given = self._kubeconfig(provider)
        context = provider.inputs.get("context")
        settings = kubernetes.client.Configuration()
        settings.retries = _RETRIES
        arguments = {
            "context": context if isinstance(context, str) else None,
            "client_configuration": settings,
            "persist_config": False,
        }
        try:
            document = yaml.safe_load(given) if given else None
            if isinstance(document, Mapping):
                return kubernetes.config.new_client_from_config_dict(document, **arguments)
            return kubernetes.config.new_client_from_config(given or None, **arguments)
        except (kubernetes.config.ConfigException, OSError, yaml.YAMLError) as error:
            raise ClusterUnreachableError(
                f"the kubeconfig of provider {provider.name} leads to no cluster: {error}"
            ) from error

    def _kubeconfig(self, provider: Resource) -> str:
        given = provider.inputs.get("kubeconfig")
        if not isinstance(given, Mapping):
            return str(given or "")
        revealed = {each.urn: each for each in self.reveal().resources}[provider.urn].inputs["kubeconfig"]
        return str(json.loads(revealed[_PLAINTEXT]))


def cluster_names(deployment: Deployment) -> frozenset[str]:
    """Return the names of the EKS clusters that a state holds or was about to hold."""
    resources = (*deployment.resources, *(each.resource for each in deployment.pending))
    named = (
        each.outputs.get("name") or each.inputs.get("name") or each.id
        for each in resources
        if each.resource_type == _CLUSTER_TYPE
    )
    return frozenset(name for name in named if isinstance(name, str) and name)


def _address(url: str) -> str:
    return url.rstrip("/").lower()
