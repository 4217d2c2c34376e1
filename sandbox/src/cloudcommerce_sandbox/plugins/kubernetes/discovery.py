"""Which kinds an API server serves, asked for in two requests and remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from cloudcommerce_sandbox.plugins.kubernetes.errors import NoSuchKindError
from cloudcommerce_sandbox.plugins.kubernetes.transport import PATIENCE, Transport

_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""One answer for all groups: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery"""

_FRESH_SECONDS: Final = 0.5
"""Many resources that miss the same kind at once ask the server once."""

_FIRST_CONTACT_SECONDS: Final = 10.0

CLUSTER_SCOPED: Final = frozenset(
    (
        "APIService",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "IPAddress",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersionMigration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    )
)
"""Built-in kinds without a namespace, for when no server can be asked:
https://kubernetes.io/docs/reference/kubernetes-api/"""


@dataclass(frozen=True)
class Resource:
    """A kind as the server serves it.

    Attributes:
        api_version: For example `apps/v1`.
        plural: Its name in paths, for example `deployments`.
        namespaced: Whether its objects live in namespaces.
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of the collection or, with a name, of an object."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        scope = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Discovery:
    """Looks kinds up; asks the server again when one is missing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._known: Mapping[tuple[str, str], Resource] | None = None
        self._asked = 0.0

    def find(self, api_version: str, kind: str) -> Resource:
        """Return how a kind is served.

        Raises:
            NoSuchKindError: It is not.
            UnreachableError: The server does not answer.
        """
        wanted = (api_version, kind)
        known = self._known
        if known is None or wanted not in known:
            known = self._ask(PATIENCE)
        if wanted not in known:
            raise NoSuchKindError(api_version, kind)
        return known[wanted]

    def warm(self) -> None:
        """Ask now, so that an unreachable server is noticed.

        Raises:
            UnreachableError: The server does not answer.
        """
        self._ask(_FIRST_CONTACT_SECONDS)

    def forget(self) -> None:
        """Ask the server at the next look-up: a definition was just changed."""
        self._known = None

    def _ask(self, patience: float) -> Mapping[tuple[str, str], Resource]:
        with self._lock:
            if self._known is None or time.monotonic() - self._asked > _FRESH_SECONDS:
                found: dict[tuple[str, str], Resource] = {}
                for path in ("/api", "/apis"):
                    answer = self._transport.request("GET", path, accept=_AGGREGATED, patience=patience)
                    found.update(_resources(answer))
                self._known, self._asked = found, time.monotonic()
            return self._known


def _resources(answer: Mapping[str, Any]) -> dict[tuple[str, str], Resource]:
    found = {}
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version['version']}" if name else str(version["version"])
            for item in version.get("resources") or ():
                kind = (item.get("responseKind") or {}).get("kind")
                if kind:
                    namespaced = item.get("scope") == "Namespaced"
                    found[api_version, kind] = Resource(api_version, kind, item["resource"], namespaced)
    return found
