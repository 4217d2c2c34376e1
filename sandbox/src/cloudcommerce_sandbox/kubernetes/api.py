"""A running cluster, as the controllers see it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

FIELD_MANAGER = "cloudcommerce-sandbox"
# Who waits for a server that hangs can not restart it.
_LIMITS: Mapping[str, Any] = {"_request_timeout": 20.0}
_SERVER_SIDE_APPLY = "application/apply-patch+yaml"

Manifest = Mapping[str, Any]


class ClusterApi:
    """The API server of a cluster with administrator's rights, and the AWS that the cluster stands in.

    Reads answer plain data, as `kubectl get -o json` prints it.
    One instance is used from one thread at a time.

    Args:
        kubeconfig: A kubeconfig of an administrator.
        emulator: The emulator's AWS endpoint.
        region: The cluster's region; empty for a local cluster.
        directory: A folder of the cluster's own, for files that have to outlive the process.

    Attributes:
        server: The API server's address.
        dynamic: The client itself, for what the methods here do not offer.
        emulator: As given.
        region: As given.
        directory: As given.
    """

    def __init__(self, *, kubeconfig: Path, emulator: str, region: str, directory: Path) -> None:
        self._client: ApiClient = new_client_from_config(str(kubeconfig))
        self.server = str(self._client.configuration.host)
        self.dynamic = DynamicClient(self._client, cache_file=str(directory / "discovery.json"))
        self.emulator = emulator
        self.region = region
        self.directory = directory
        self._aws: dict[str, Any] = {}

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """Return an object, or None when there is none.

        Args:
            api_version: Such as `apps/v1`.
            kind: Such as `Deployment`.
            name: Its name.
            namespace: Its namespace; None for cluster-wide kinds.

        Raises:
            ApiException: The server refuses.
        """
        try:
            found = self._resource(api_version, kind).get(name=name, namespace=namespace, **_LIMITS)
        except NotFoundError:
            return None
        return dict(found.to_dict())

    def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """Return all objects of a kind.

        Args:
            api_version: Such as `v1`.
            kind: Such as `Node`.
            namespace: Only those in it.
            labels: A label selector.
            fields: A field selector.

        Raises:
            ApiException: The server refuses.
        """
        chosen = {"label_selector": labels, "field_selector": fields}
        wanted = {key: value for key, value in chosen.items() if value}
        found = self._resource(api_version, kind).get(namespace=namespace, **wanted, **_LIMITS)
        return list(found.to_dict().get("items") or [])

    def apply(self, manifest: Manifest, *, manager: str = FIELD_MANAGER) -> dict[str, Any]:
        """Create or change an object by server-side apply, taking over fields that others have.

        Args:
            manifest: The object.
            manager: The field manager; fields that it set in an earlier apply and not in this one
                are removed.

        Returns:
            The object as it stands.

        Raises:
            ApiException: The server refuses.
        """
        metadata = manifest["metadata"]
        applied = self._resource(manifest["apiVersion"], manifest["kind"]).patch(
            name=metadata["name"],
            namespace=metadata.get("namespace"),
            body=dict(manifest),
            content_type=_SERVER_SIDE_APPLY,
            **_LIMITS,
            field_manager=manager,
            force_conflicts=True,
        )
        return dict(applied.to_dict())

    def apply_all(self, manifests: Iterable[Manifest], *, manager: str = FIELD_MANAGER) -> None:
        """Apply several objects, one after the other.

        Args:
            manifests: The objects, in an order in which the server takes them.
            manager: The field manager.

        Raises:
            ApiException: The server refuses one; those before it stand.
        """
        for manifest in manifests:
            self.apply(manifest, manager=manager)

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str = "",
    ) -> None:
        """Change an object by a merge patch.

        Args:
            api_version: Such as `v1`.
            kind: Such as `Node`.
            name: Its name.
            patch: The merge patch.
            namespace: Its namespace; None for cluster-wide kinds.
            subresource: Such as `status`.

        Raises:
            ApiException: The server refuses.
        """
        resource = self._resource(api_version, kind)
        target = resource.subresources[subresource] if subresource else resource
        target.patch(
            name=name,
            namespace=namespace,
            body=dict(patch),
            content_type="application/merge-patch+json",
            **_LIMITS,
        )

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
    ) -> bool:
        """Delete an object.

        Args:
            api_version: Such as `v1`.
            kind: Such as `Node`.
            name: Its name.
            namespace: Its namespace; None for cluster-wide kinds.
            grace_seconds: How long it may take to end; 0 removes a pod at once.

        Returns:
            Whether there was one.

        Raises:
            ApiException: The server refuses.
        """
        body = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        try:
            self._resource(api_version, kind).delete(name=name, namespace=namespace, body=body, **_LIMITS)
        except NotFoundError:
            return False
        return True

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the emulator, in the cluster's region.

        Args:
            service: Such as `ec2`.
        """
        if service not in self._aws:
            # The emulator takes any credentials; these are the ones it knows.
            known: dict[str, Any] = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "sandbox")
            session = boto3.session.Session(**known, region_name=self.region)
            create: Any = session.client
            self._aws[service] = create(service, endpoint_url=self.emulator)
        return self._aws[service]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _resource(self, api_version: str, kind: str) -> Any:
        return self.dynamic.resources.get(api_version=api_version, kind=kind)
