"""A Kubernetes API server, asked by kind and name.

The official client brings authentication, TLS and transport. Its dynamic client is not used: it keeps what a
server offers in a file in the shared temporary folder, by address, and a cluster that is made anew behind the
same address is then asked for what its predecessor had.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import kubernetes.client
import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from operations.errors import OperationError

_TIMEOUT_SECONDS = (5, 30)
"""To connect, and to wait for an answer."""

_PAGE = 500
_MISSING = 404
_GONE = frozenset({404, 409})
"""Gone, or its identity has changed: what was to be deleted is not there any more."""


class ClusterUnreachableError(OperationError):
    """A cluster does not answer, so nothing can be said about what is in it."""


@dataclass(frozen=True)
class ObjectKey:
    """What names an object within a cluster.

    Attributes:
        api_version: Such as `apps/v1`.
        kind: Such as `Deployment`.
        name: Its name.
        namespace: Its namespace; None for what has none.
    """

    api_version: str
    kind: str
    name: str
    namespace: str | None = None


@dataclass
class KubernetesApi:
    """One API server.

    Attributes:
        name: What the stack calls the cluster.
        client: The official client's connection.
    """

    name: str
    client: kubernetes.client.ApiClient
    _paths: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the server is reached, as a URL."""
        return str(self.client.configuration.host)

    def version(self) -> str:
        """Return the server's version, such as `v1.35.4`.

        Raises:
            ClusterUnreachableError: It does not answer, or not to us.
        """
        return str(self._request("GET", "/version")["gitVersion"])

    def get(self, key: ObjectKey) -> Mapping[str, Any] | None:
        """Return an object; None when there is none, or when the server has no such kind.

        Raises:
            ClusterUnreachableError: The server does not answer, or not to us.
        """
        path = self._path(key.api_version, key.kind, key.namespace)
        return self._request("GET", f"{path}/{key.name}", missing=None) if path else None

    def objects(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a kind, in one namespace or in all; none when the server has no such kind.

        Raises:
            ClusterUnreachableError: The server does not answer, or not to us.
        """
        path = self._path(api_version, kind, namespace)
        query = [("limit", str(_PAGE)), *([("labelSelector", labels)] if labels else [])]
        token = ""
        while path:
            page = self._request("GET", path, [*query, *([("continue", token)] if token else [])])
            yield from page["items"]
            token = page["metadata"].get("continue") or ""
            path = path if token else ""

    def delete(self, api_version: str, kind: str, found: Mapping[str, Any]) -> None:
        """Delete an object that was listed, with what it owns; what has been made anew since is left alone.

        Raises:
            ClusterUnreachableError: The server does not answer, or not to us.
        """
        metadata = found["metadata"]
        path = self._path(api_version, kind, metadata.get("namespace"))
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": metadata["uid"]},
        }
        self._request("DELETE", f"{path}/{metadata['name']}", body=body, missing=None)

    def _path(self, api_version: str, kind: str, namespace: str | None) -> str:
        plural, namespaced = self._resource(api_version, kind)
        scope = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{_root(api_version)}{scope}/{plural}" if plural else ""

    def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        if (api_version, kind) not in self._paths:
            offered = self._request("GET", _root(api_version), missing={"resources": []})
            for each in (offered or {})["resources"]:
                if "/" not in each["name"]:
                    self._paths[api_version, each["kind"]] = (each["name"], each["namespaced"])
        return self._paths.get((api_version, kind), ("", False))

    def _request(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        *,
        body: Any = None,
        missing: Any = ...,
    ) -> Any:
        try:
            answer = self.client.call_api(
                path,
                method,
                query_params=query or [],
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT_SECONDS,
            )
        except ApiException as error:
            if missing is not ... and error.status in (_GONE if method == "DELETE" else {_MISSING}):
                return missing
            reason = f"{error.status} {error.reason}: {_message(error)}"
            raise ClusterUnreachableError(
                f"cluster {self.name} does not answer {method} {path}: {reason}"
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachableError(f"cluster {self.name} cannot be reached: {error}") from error
        return json.loads(answer.data)


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.body)[:200]
